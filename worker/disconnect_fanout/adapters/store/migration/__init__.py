"""``fanout migrate``: the schema brought up to date beside running workers."""
