"""The settings: each declared, read from text or JSON, and checked."""
