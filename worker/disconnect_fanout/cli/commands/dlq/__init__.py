"""``fanout dlq``."""
