"""``fanout deliveries``."""
