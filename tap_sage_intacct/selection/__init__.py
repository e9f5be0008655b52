"""What is wanted: which rows, periods, entities and books."""
