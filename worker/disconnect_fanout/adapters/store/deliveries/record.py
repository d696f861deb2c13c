"""What the history says about deliveries, in the words and the order of CONTRACT section 6."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.seals.answer_seals import answer_of
from disconnect_fanout.domain.instant import from_ms, maybe_from_ms


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One attempt.

    Attributes:
        answer: None if it was sealed with a key that is not configured.
    """

    attempt: int
    at: datetime
    result: str
    status: int | None
    duration_ms: int
    answer: str | None


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One delivery.

    Attributes:
        next_at: of the next attempt; None once settled, and while an attempt is under way.
    """

    delivery_id: str
    event_id: str
    platform_id: str
    state: str
    attempts: int
    last_result: str | None
    last_status: int | None
    created_at: datetime
    next_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryStory(DeliveryRecord):
    """One delivery with every attempt.

    Attributes:
        reason: why it is dead or was.
        because: why an operator discarded it.
    """

    timeline: tuple[TimelineEntry, ...]
    reason: str | None
    because: str | None


@dataclass(frozen=True, slots=True)
class DeadRecord:
    """One open dead letter."""

    delivery_id: str
    event_id: str
    platform_id: str
    reason: str
    attempts: int
    last_result: str | None
    last_status: int | None
    first_failed_at: datetime | None
    dead_at: datetime
    replays: int


@dataclass(frozen=True, slots=True)
class DeadStory(DeadRecord):
    """One open dead letter with every attempt."""

    timeline: tuple[TimelineEntry, ...]


def delivery_columns(row: Row[Any]) -> dict[str, Any]:
    """Read a row of ``deliveries`` as the fields of a ``DeliveryRecord``."""
    return {
        **_shared_columns(row),
        "state": row.state,
        "created_at": from_ms(row.created_at),
        "next_at": None if row.lease else maybe_from_ms(row.next_at),
        "settled_at": maybe_from_ms(row.settled_at),
    }


def dead_columns(row: Row[Any]) -> dict[str, Any]:
    """Read a dead row of ``deliveries`` as the fields of a ``DeadRecord``."""
    return {
        **_shared_columns(row),
        "reason": row.reason,
        "first_failed_at": maybe_from_ms(row.first_failed_at),
        "dead_at": from_ms(row.decided_at),
        "replays": row.replays,
    }


def timeline_entry(row: Row[Any], vault: Vault) -> TimelineEntry:
    """Read a row of ``attempts``."""
    return TimelineEntry(
        attempt=row.number,
        at=from_ms(row.at),
        result=row.result,
        status=row.status,
        duration_ms=row.duration_ms,
        answer=answer_of(vault, row),
    )


def _shared_columns(row: Row[Any]) -> dict[str, Any]:
    return {
        "delivery_id": row.id,
        "event_id": row.event_id,
        "platform_id": row.platform_id,
        "attempts": row.attempts,
        "last_result": row.last_result,
        "last_status": row.last_status,
    }
