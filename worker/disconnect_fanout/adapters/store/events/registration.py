"""The transaction in which events and their deliveries are first written down."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.rows.taken import require_taken, require_there
from disconnect_fanout.adapters.store.schema.tables import deliveries, events
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.spelling import event_hash_columns
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.event import forgotten
from disconnect_fanout.domain.identity import content_hash
from disconnect_fanout.domain.instant import span_ms, to_s
from disconnect_fanout.flow.intent import Intent, PlannedDelivery, Registration


class RegistrationInserter:
    """Inserts what is new and tells what is not.

    Args:
        by_google_id: whether events must be found by it later, which costs an index.
    """

    def __init__(self, database: Database, seals: Seals, *, by_google_id: bool = False) -> None:
        self._database = database
        self._seals = seals
        self._by_google_id = by_google_id
        self._insert_event = (
            database.insert(events)
            .values(copies=0, received_at=database.now_ms)
            .on_conflict_do_nothing()
        )
        insert = database.insert(deliveries).values(
            state=DeliveryState.PENDING, attempts=0, step=0, replays=0
        )
        # A row that is there is our own, from a try whose answer was lost: its lease is renewed.
        self._insert_delivery = insert.on_conflict_do_update(
            index_elements=["id"],
            set_={"next_at": insert.excluded.next_at},
            where=deliveries.c.lease == insert.excluded.lease,
        )

    async def register(
        self, intents: Sequence[Intent], writer: str, *, again: bool
    ) -> Sequence[Registration]:
        """Try once.

        Args:
            intents: what is to be written.
            writer: the token by which a further try recognises its events.
            again: this is such a try: what an earlier one wrote may be somebody else's by now.
        """
        first = {intent.event.id: intent for intent in reversed(intents)}
        rows = self._event_rows(first, writer)
        async with self._database.intend() as connection:
            await connection.execute(self._insert_event, rows)
            recorded = await self._recorded(connection, first)
            ours = {event_id for event_id, row in recorded.items() if row.writer == writer}
            planned = [
                _delivery_row(intent, one, recorded[intent.event.id].now_ms)
                for intent in map(first.__getitem__, sorted(ours))
                for one in intent.deliveries
            ]
            if planned:
                await self._plan(connection, planned)
            if again and planned:
                ours -= await self._overtaken(connection, planned)
        return self._answers(intents, recorded, ours)

    async def insert(self, connection: AsyncConnection, intent: Intent, writer: str) -> None:
        """Insert one new event with its deliveries, in a transaction of the caller's."""
        first = {intent.event.id: intent}
        await connection.execute(self._insert_event, self._event_rows(first, writer))
        recorded = await self._recorded(connection, first)
        now_ms = recorded[intent.event.id].now_ms
        rows = [_delivery_row(intent, one, now_ms) for one in intent.deliveries]
        await self._plan(connection, rows)

    async def _plan(self, connection: AsyncConnection, planned: list[dict[str, Any]]) -> None:
        await connection.execute(self._insert_delivery, planned)
        written = [one["id"] for one in planned]
        await require_there(connection, self._database, deliveries.c.id, written)

    def _event_rows(self, first: Mapping[str, Intent], writer: str) -> list[dict[str, object]]:
        """Sorted, so that two workers with overlapping batches wait for each other in one order."""
        return [self._event_row(first[event_id], writer) for event_id in sorted(first)]

    async def _overtaken(
        self, connection: AsyncConnection, planned: Sequence[Mapping[str, Any]]
    ) -> set[str]:
        """Return the events of which others have claimed a delivery since, and leave them these.

        Our leases had expired while the answer to our COMMIT was on its lost way. What of such an
        event is still ours is due at once, for whoever has a slot: it is not ours to send twice.
        """
        leased = {one["id"]: one for one in planned if one["lease"] is not None}
        found = await connection.execute(
            select(deliveries.c.id, deliveries.c.lease).where(
                self._database.among(deliveries.c.id, leased)
            )
        )
        held = {row.id for row in found if row.lease == leased[row.id]["lease"]}
        overtaken = {one["event_id"] for name, one in leased.items() if name not in held}
        left = [name for name in held if leased[name]["event_id"] in overtaken]
        if left:
            await connection.execute(
                update(deliveries)
                .where(self._database.among(deliveries.c.id, left))
                .values(lease=None, next_at=self._database.now_ms)
            )
        return overtaken

    async def _recorded(
        self, connection: AsyncConnection, first: Mapping[str, Intent]
    ) -> dict[str, Any]:
        found = await connection.execute(
            select(
                events.c.id,
                events.c.content_hash,
                events.c.user_hash,
                events.c.writer,
                self._database.now_ms.label("now_ms"),
            ).where(self._database.among(events.c.id, first))
        )
        recorded = {row.id: row for row in found}
        require_taken(events.name, len(first), len(recorded))
        return recorded

    def _answers(
        self, intents: Sequence[Intent], recorded: Mapping[str, Any], ours: set[str]
    ) -> Sequence[Registration]:
        """The first of several copies in one batch is new, the others are known."""
        fresh = set(ours)
        answers: list[Registration] = []
        for intent in intents:
            event_id = intent.event.id
            if event_id in fresh:
                fresh.remove(event_id)
                answers.append(Registration.NEW)
            elif self._same(recorded[event_id], intent):
                answers.append(Registration.KNOWN)
            else:
                answers.append(Registration.CONFLICT)
        return answers

    def _same(self, recorded: Any, intent: Intent) -> bool:  # noqa: ANN401 - a row of ``events``
        """Of an event whose user was forgotten all but the user is compared."""
        contents = [intent.content_hash]
        if recorded.user_hash is None:  # or somebody's own SQL has lost the hash
            contents.append(content_hash(forgotten(intent.event)))
        return recorded.content_hash in map(self._seals.text_hash, contents)

    def _event_row(self, intent: Intent, writer: str) -> dict[str, object]:
        event = intent.event
        google_id = event.user.google_id if self._by_google_id else None
        return {
            "id": event.id,
            "content_hash": self._seals.text_hash(intent.content_hash),
            **event_hash_columns(self._seals, event.user.email),
            "google_hash": None if google_id is None else self._seals.text_hash(google_id),
            "sealed": self._seals.seal_event(event),
            "disconnected_at": to_s(event.disconnected_at),
            "recipients": len(intent.deliveries),
            "near_misses": intent.near_misses,
            "writer": writer,
        }


def _delivery_row(intent: Intent, planned: PlannedDelivery, now_ms: int) -> dict[str, Any]:
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
