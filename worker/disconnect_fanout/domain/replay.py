"""A replay: a stored job that sends a frozen selection of deliveries again."""

from dataclasses import dataclass
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


class WrongState(Exception):
    """The job is in a state in which this can't be done to it."""


@dataclass(frozen=True, slots=True)
class ReplayProgress:
    """How far a replay has come; the fields of CONTRACT section 6.

    Attributes:
        selected: deliveries that the job sends again; fewer, when users come back meanwhile.
        reconnected: deliveries that were left out, because their user has come back since.
        failed: not notified: dead again, or no longer there to be sent.
        pending: waiting for their turn, or sent and not yet settled; what a cancelled job left.
    """

    job: str
    state: str
    selected: int
    reconnected: int
    delivered: int
    failed: int
    pending: int
