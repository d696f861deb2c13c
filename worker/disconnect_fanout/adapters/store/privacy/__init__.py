"""``fanout privacy forget``: what is kept about a person, and its erasure."""
