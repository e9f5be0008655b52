"""Where a reading stands, and how that is written into a Singer state."""
