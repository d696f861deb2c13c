"""Platforms: registered, read by workers, and how each of them stands."""
