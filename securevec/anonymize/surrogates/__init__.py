"""Keyed stand-ins of the same shape as the original, and of nobody."""
