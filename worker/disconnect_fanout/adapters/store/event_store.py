"""Events and their deliveries, written down before the first request."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import select

from disconnect_fanout.adapters.store.database import Database, Insert
from disconnect_fanout.adapters.store.instant import span_ms, to_s
from disconnect_fanout.adapters.store.link_candidates import find_links
from disconnect_fanout.adapters.store.patience import Sleep, again
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.tables import deliveries, events
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.intent import Intent, PlannedDelivery, Registration
from disconnect_fanout.flow.outage import StoreUnreachable

Answer = TypeVar("Answer")


class SqlEventStore:
    """``flow.resolver.EventStore`` on SQLite and PostgreSQL.

    Args:
        hold_s: how long an outage is waited for before it is reported.
        sleep: waits between two tries in an outage.
    """

    def __init__(
        self,
        database: Database,
        seals: Seals,
        *,
        hold_s: float = 60.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._database = database
        self._seals = seals
        self._hold_s = hold_s
        self._sleep = sleep
        self._insert_event = (
            database.insert(events)
            .values(copies=0, received_at=database.now_ms)
            .on_conflict_do_nothing()
        )
        self._insert_delivery = _insert_delivery(database)

    async def links(self, events: Sequence[DisconnectEvent]) -> Sequence[Sequence[Link]]:
        """Return the candidate links for each event: those of its address or its google id."""
        return await self._patiently(partial(find_links, self._database, events))

    async def register(self, intents: Sequence[Intent]) -> Sequence[Registration]:
        """Insert those events that are new, with their deliveries, in one transaction.

        Each call signs its events with a token of its own. When the answer to a COMMIT is lost,
        the next try finds the token and knows that the event is still this caller's to send,
        instead of calling it known while nobody serves its leases; it renews them. If the outage
        outlasts our patience, the caller sends nothing, and the leases expire.

        Raises:
            StoreUnreachable: the outage lasted too long; a redelivery finds what was written.
        """
        return await self._patiently(partial(self._register, intents, uuid.uuid4().hex))

    async def _patiently(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            async with asyncio.timeout(self._hold_s):
                try:
                    return await call()
                except StoreUnreachable:
                    return await again(call, self._sleep)
        except TimeoutError:
            words = f"the database has not answered for {self._hold_s:g} s"
            raise StoreUnreachable(words) from None

    async def _register(self, intents: Sequence[Intent], writer: str) -> Sequence[Registration]:
        first = {intent.event.id: intent for intent in reversed(intents)}
        # Sorted, so that two workers with overlapping batches wait for each other in one order.
        rows = [self._event_row(first[event_id], writer) for event_id in sorted(first)]
        async with self._database.intend() as connection:
            await connection.execute(self._insert_event, rows)
            found = await connection.execute(
                select(
                    events.c.id, events.c.content_hash, events.c.writer, self._database.now_ms
                ).where(self._database.among(events.c.id, first))
            )
            recorded = {row[0]: row for row in found}
            ours = [one for one in first.values() if recorded[one.event.id].writer == writer]
            planned = [_delivery_row(intent, one, recorded[intent.event.id][3])
                       for intent in ours for one in intent.deliveries]  # fmt: skip
            if planned:
                await connection.execute(
                    self._insert_delivery, sorted(planned, key=lambda row: str(row["id"]))
                )
        return _registrations(intents, recorded, {one.event.id for one in ours})

    def _event_row(self, intent: Intent, writer: str) -> dict[str, object]:
        event = intent.event
        return {
            "id": event.id,
            "content_hash": intent.content_hash,
            "user_hash": self._seals.user_hash(event.user.folded_email),
            "sealed": self._seals.seal_event(event),
            "disconnected_at": to_s(event.disconnected_at),
            "recipients": len(intent.deliveries),
            "writer": writer,
        }


def _insert_delivery(database: Database) -> Insert:
    """A row that is there is our own, from a try whose answer was lost: its lease is renewed."""
    insert = database.insert(deliveries).values(
        state=DeliveryState.PENDING, attempts=0, step=0, replays=0
    )
    return insert.on_conflict_do_update(
        index_elements=["id"],
        set_={"next_at": insert.excluded.next_at},
        where=deliveries.c.lease == insert.excluded.lease,
    )


def _delivery_row(intent: Intent, planned: PlannedDelivery, now_ms: int) -> dict[str, object]:
    lease_ms = span_ms(planned.lease_s) if planned.lease else 0
    return {
        "id": planned.id,
        "event_id": intent.event.id,
        "platform_id": planned.platform_id,
        "next_at": None if planned.dead else now_ms + lease_ms,
        "lease": planned.lease,
        "reason": planned.dead,
        "decided_at": now_ms if planned.dead else None,
        "born_at": now_ms,
        "created_at": now_ms,
    }


def _registrations(
    intents: Sequence[Intent], recorded: Mapping[str, Any], ours: set[str]
) -> Sequence[Registration]:
    """The first of several copies in one batch is new, the others are known."""
    fresh = set(ours)
    answers: list[Registration] = []
    for intent in intents:
        event_id = intent.event.id
        if event_id in fresh:
            fresh.remove(event_id)
            answers.append(Registration.NEW)
        elif recorded[event_id].content_hash == intent.content_hash:
            answers.append(Registration.KNOWN)
        else:
            answers.append(Registration.CONFLICT)
    return answers
