"""The rules of the two upstream HTTP operations."""
