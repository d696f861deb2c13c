"""What came in, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.deliveries.record import DeliveryRecord, delivery_columns
from disconnect_fanout.adapters.store.events.record import EventRecord, EventStory
from disconnect_fanout.adapters.store.rows.legible import (
    DELIVERY,
    legible,
    require_legible,
)
from disconnect_fanout.adapters.store.rows.user_match import UserMatch
from disconnect_fanout.adapters.store.schema.tables import deliveries, events, nearly_missed
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.opened_events import open_one
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.instant import from_ms, from_s, to_ms
from disconnect_fanout.domain.not_found import NotFound

EVENT = ("recipients", "copies", "near_misses", "disconnected_at", "received_at")


class RecordedOutcome(StrEnum):
    """What a recorded event came to when it was planned."""

    FANNED_OUT = "fanned_out"
    NO_RECIPIENTS = "no_recipients"


@dataclass(frozen=True, slots=True)
class EventFilter:
    """All that is given must hold.

    Attributes:
        user: whose events they are.
        since: an instant of the event's arrival; likewise ``until``.
        near_miss: only those that some platform was not notified of because of a Google id alone.
    """

    outcome: RecordedOutcome | None = None
    user: UserMatch | None = None
    since: datetime | None = None
    until: datetime | None = None
    near_miss: bool = False


class EventHistory:
    """Reads events; changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, chosen: EventFilter, limit: int) -> list[EventRecord]:
        """Return those that match, the newest first."""
        newest_first = (events.c.received_at.desc(), events.c.id)
        wanted = _matching(chosen).order_by(*newest_first).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
            counts = await _counts(connection, [row.id for row in rows])
        shown = legible(self._database, events, rows, EVENT)
        return [EventRecord(**_columns(row, counts.get(row.id, {}))) for row in shown]

    async def one(self, event_id: str, seals: Seals) -> EventStory:
        """Return one in full, its user opened.

        Raises:
            NotFound: no such event.
            SecretKeyMissing: it was sealed with a key that is not here.
            UnreadableRow: no key in use opens it.
        """
        of_event = select(deliveries).where(deliveries.c.event_id == event_id)
        async with self._database.read() as connection:
            wanted = select(events).where(events.c.id == event_id)
            row = (await connection.execute(wanted)).one_or_none()
            if row is None:
                raise NotFound("event", event_id)
            counts = await _counts(connection, [event_id])
            require_legible(events, row, EVENT)
            rows = (await connection.execute(of_event.order_by(deliveries.c.platform_id))).all()
            shown = legible(self._database, deliveries, rows, DELIVERY)
            found = tuple(DeliveryRecord(**delivery_columns(one)) for one in shown)
            event = await open_one(connection, seals, event_id, row.sealed)
        return EventStory(
            **_columns(row, counts.get(event_id, {})),
            user_email=event.user.email or None,
            google_id=event.user.google_id,
            provider=event.provider,
            reason=event.reason,
            initiated_by=event.initiated_by,
            timestamp=event.timestamp,
            deliveries=found,
        )


def _matching(chosen: EventFilter) -> Select[Any]:
    wanted = select(events)
    match chosen.outcome:
        case RecordedOutcome.NO_RECIPIENTS:
            wanted = wanted.where(events.c.recipients == 0)
        case RecordedOutcome.FANNED_OUT:
            wanted = wanted.where(events.c.recipients > 0)
        case None:
            pass
    if chosen.near_miss:
        wanted = wanted.where(nearly_missed)
    if chosen.user is not None:
        wanted = wanted.where(chosen.user.rows())
    if chosen.since is not None:
        wanted = wanted.where(events.c.received_at >= to_ms(chosen.since))
    if chosen.until is not None:
        wanted = wanted.where(events.c.received_at <= to_ms(chosen.until))
    return wanted


async def _counts(connection: AsyncConnection, ids: list[str]) -> dict[str, dict[str, int]]:
    """Count deliveries by event and state: counted, never derived from one another."""
    counted = (
        select(deliveries.c.event_id, deliveries.c.state, func.count())
        .where(deliveries.c.event_id.in_(ids))
        .group_by(deliveries.c.event_id, deliveries.c.state)
    )
    counts: dict[str, dict[str, int]] = {}
    for event_id, state, count in await connection.execute(counted):
        counts.setdefault(event_id, {})[state] = count
    return counts


def _columns(row: Row[Any], counts: Mapping[str, int]) -> dict[str, Any]:
    any_recipient = row.recipients > 0
    return {
        "event_id": row.id,
        "outcome": RecordedOutcome.FANNED_OUT if any_recipient else RecordedOutcome.NO_RECIPIENTS,
        "recipients": row.recipients,
        **{state.value: counts.get(state.value, 0) for state in DeliveryState},
        "copies": row.copies,
        "near_misses": row.near_misses,
        "disconnected_at": from_s(row.disconnected_at),
        "received_at": from_ms(row.received_at),
    }
