"""How a stream is read: its passes, what is gone, and what moved meanwhile."""
