"""What can be asked of objects: how they are described, and which rows are chosen."""
