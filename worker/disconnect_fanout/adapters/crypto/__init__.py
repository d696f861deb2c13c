"""Secrets at rest and keys that sign."""
