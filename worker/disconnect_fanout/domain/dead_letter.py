"""A dead letter: a delivery that ended undelivered and waits for an operator."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeadReason(StrEnum):
    """Why a delivery is dead. A closed set."""

    EXHAUSTED = "exhausted"
    GONE = "gone"
    BLOCKED = "blocked"
    ENDPOINT_DISABLED = "endpoint_disabled"
    UNKNOWN_PLATFORM = "unknown_platform"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What a message in the dead-letter queue tells; it names no user.

    Attributes:
        replays: how often the delivery was replayed before it died this time; a letter with
            another count than its row's is a stale one.
    """

    delivery_id: str
    event_id: str
    platform_id: str
    reason: DeadReason
    attempts: int
    last_result: str | None
    last_status: int | None
    first_failed_at: datetime | None
    dead_at: datetime
    replays: int
