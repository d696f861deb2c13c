"""Rows that several nouns read and write: deliveries under lock, their attempts, replay items."""
