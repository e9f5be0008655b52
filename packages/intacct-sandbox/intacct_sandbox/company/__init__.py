"""What a company holds: its books, their objects, and every change to them."""
