"""``fanout replays``, and what every replay shares: ordering and following it."""
