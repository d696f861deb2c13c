"""A delivery: one event, one platform, delivered exactly once or dead-lettered."""

from dataclasses import dataclass
from enum import StrEnum

from disconnect_fanout.domain.event import DisconnectEvent


class DeliveryState(StrEnum):
    """Where a delivery stands. Delivered is final: no later write takes it back."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a delivery has come.

    Attributes:
        attempts: requests made so far, over all replays; never falls.
        step: how many waits of the retry schedule are used up.
        age_s: seconds since this round of the schedule began.
        replays: how often it was replayed.
        delivered: the platform knows already and is notified again; whatever comes, it stays
            delivered.
        interruptions: attempts of this round whose worker ended before it could record them.
    """

    attempts: int = 0
    step: int = 0
    age_s: float = 0.0
    replays: int = 0
    delivered: bool = False
    interruptions: int = 0


@dataclass(frozen=True, slots=True)
class LeasedDelivery:
    """A delivery that this worker alone may send until its lease ends.

    Attributes:
        id: the ``webhook-id``.
        lease: the token that fences this worker's writes.
    """

    id: str
    platform_id: str
    event: DisconnectEvent
    lease: str
    progress: Progress = Progress()
