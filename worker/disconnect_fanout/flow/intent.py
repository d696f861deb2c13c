"""An intent: what a worker is about to do about an event, written down before it does it."""

from dataclasses import dataclass
from enum import Enum

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.event import DisconnectEvent


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """One recipient of an event, as it will be inserted.

    Attributes:
        lease: this worker's token if it will send at once; None if the row is simply due.
        lease_s: how long the lease holds, by the database's clock.
        dead: a reason for which it is dead before any request.
    """

    id: str
    platform_id: str
    lease: str | None = None
    lease_s: float = 0.0
    dead: DeadReason | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """An event and all its deliveries; their number is frozen from here on.

    Attributes:
        near_misses: platforms that are not notified because of another Google id alone.
    """

    event: DisconnectEvent
    content_hash: str
    deliveries: tuple[PlannedDelivery, ...]
    near_misses: int = 0


class Registration(Enum):
    """What the store answered to an intent."""

    NEW = "new"
    KNOWN = "known"  # the same event was recorded before; nothing was written
    CONFLICT = "conflict"  # another event was recorded under this id; nothing was written
