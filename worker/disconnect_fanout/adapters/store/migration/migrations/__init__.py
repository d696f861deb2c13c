"""How the tables came to be, one revision a file. Only additive: an older worker keeps running."""
