"""Whose fault a failure is, and when what failed is begun again."""
