"""Rows of an answer: found in its bytes, and read as columns of values."""
