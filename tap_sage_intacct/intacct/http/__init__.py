"""Calls over HTTP, whatever is in them."""
