"""A replay: a stored job that sends a frozen selection of deliveries again."""

from enum import StrEnum


class ReplayState(StrEnum):
    """Where a job stands."""

    SELECTING = "selecting"
    """Its selection is being written down; nothing is sent. Left so if the command was killed."""
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


HOLDING = (ReplayState.PAUSED, ReplayState.CANCELLED)
"""Nothing of such a job is sent, whatever was released already."""
ENDED = (ReplayState.CANCELLED, ReplayState.DONE)
"""It changes no more."""
