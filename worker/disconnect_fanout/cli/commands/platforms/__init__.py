"""``fanout platforms``."""
