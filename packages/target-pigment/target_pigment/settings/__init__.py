"""The settings: each declared once, read from JSON or variables, and checked."""
