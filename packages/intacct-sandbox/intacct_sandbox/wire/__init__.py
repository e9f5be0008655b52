"""What goes over the wire: requests, replies, refusals, and how values look in them."""
