"""What goes wrong to order."""
