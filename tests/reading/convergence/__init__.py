"""Sandbox and tap driven together: the machine, its subjects, what changes."""
