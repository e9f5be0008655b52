"""A Singer target for Pigment, the planning platform."""
