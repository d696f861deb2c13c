"""``fanout check``."""
