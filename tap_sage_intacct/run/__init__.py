"""What the streams of one run share."""
