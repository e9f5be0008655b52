"""What can be asked of objects: fields, conditions, and which rows are chosen."""
