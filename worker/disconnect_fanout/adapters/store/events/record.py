"""What the history says about events."""

from dataclasses import dataclass, field
from datetime import datetime

from disconnect_fanout.adapters.store.deliveries.record import DeliveryRecord
from disconnect_fanout.domain.event import Provider, Reason


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event and what became of it, without naming its user.

    Attributes:
        outcome: ``fanned_out`` or ``no_recipients``.
        recipients: frozen at planning; the four counts add up to it.
        near_misses: platforms that are not notified because the address is linked to them under
            another Google id; as of the planning, or of ``events resolve`` since.
        copies: how often it arrived again.
    """

    event_id: str
    outcome: str
    recipients: int
    pending: int
    delivered: int
    dead: int
    discarded: int
    copies: int
    near_misses: int
    disconnected_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class EventStory(EventRecord):
    """One event in full.

    Attributes:
        user_email: None once the user was forgotten.
    """

    user_email: str | None = field(repr=False)
    google_id: str | None = field(repr=False)
    provider: Provider
    reason: Reason
    initiated_by: str | None
    timestamp: datetime
    deliveries: tuple[DeliveryRecord, ...]
