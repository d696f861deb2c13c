"""What may be said of an error, and what is hidden in it."""
