"""Somebody else holds messages of a queue that is to be looked through."""


class QueueInUse(Exception):
    """What would be seen is a part of the queue; says what to do. Nothing was changed."""
