"""``fanout secret-key``."""
