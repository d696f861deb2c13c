"""Frozen values in the field's words. Knows no clock, no vendor and nothing else of the project."""
