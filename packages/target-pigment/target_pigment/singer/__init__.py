"""What the SDK calls: messages come in, STATE goes out."""
