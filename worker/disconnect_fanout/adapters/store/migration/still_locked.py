"""What ends a migration that never got a lock."""


class StillLocked(Exception):
    """Others held a lock all the time. Nothing is half done: what was done before it stays."""
