"""Taps that a long test runs in environments of their own."""
