"""Pigment's APIs; nothing here is about Singer."""
