"""The outbox: events written in the transaction of what they tell of, until they are published."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.api_tables import outbox
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.instant import span_ms
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.secret_keys import require_keys
from disconnect_fanout.adapters.store.spelling import hash_columns
from disconnect_fanout.adapters.store.unreadable_rows import note_gone, note_unreadable
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.flow.fact import Observe, RowUnreadable
from disconnect_fanout.flow.relay import Promise


class SqlOutbox:
    """``flow.relay.Outbox`` on SQLite and PostgreSQL."""

    def __init__(
        self, database: Database, seals: Seals, observe: Observe = lambda _fact: None
    ) -> None:
        self._database = database
        self._seals = seals
        self._observe = observe

    async def put(self, connection: AsyncConnection, events: Sequence[DisconnectEvent]) -> None:
        """Promise to publish events, inside the transaction of what they tell of."""
        rows = [
            {
                "event_id": event.id,
                **hash_columns(self._seals, event.user.email),
                "sealed": self._seals.seal_event(event),
                "created_at": self._database.now_ms,
                "taken_until": 0,
            }
            for event in events
        ]
        await connection.execute(insert(outbox).values(rows))

    async def take(self, limit: int, for_s: float) -> Sequence[Promise]:
        """Take the oldest ones that nobody else has taken.

        One that can't be opened stays taken for a while, and its neighbours go out.

        Raises:
            SecretKeyMissing: one is sealed with a key that is not here; nothing is taken.
        """
        free = (
            select(outbox.c.number)
            .where(outbox.c.taken_until <= self._database.now_ms)
            .order_by(outbox.c.number)
            .limit(limit)
        )
        async with self._database.read() as connection:  # nearly always there is nothing
            if (await connection.execute(free.limit(1))).first() is None:
                return ()
        async with self._database.intend() as connection:
            found = await connection.execute(free.with_for_update(skip_locked=True))
            numbers = list(found.scalars())
            if not numbers:
                return ()
            until = self._database.now_ms + span_ms(for_s)
            taken = update(outbox).where(outbox.c.number.in_(numbers)).values(taken_until=until)
            rows = await connection.execute(taken.returning(outbox.c.number, outbox.c.sealed))
            return await self._opened(connection, sorted(rows, key=lambda row: row.number))

    async def give_back(self, numbers: Sequence[int]) -> None:
        """Let others, or the next turn, have what could not be published."""
        free = update(outbox).where(outbox.c.number.in_(numbers)).values(taken_until=0)
        async with self._database.intend() as connection:
            await connection.execute(free)

    async def _opened(
        self, connection: AsyncConnection, rows: Sequence[Row[Any]]
    ) -> Sequence[Promise]:
        promises, damaged = list[Promise](), list[str]()
        for row in rows:
            try:
                promises.append(Promise(row.number, self._seals.open_event(row.sealed)))
            except Unsealable:
                damaged.append(str(row.number))
        if damaged:
            await require_keys(connection, self._seals)
        for number in await note_unreadable(connection, self._database, "outbox", damaged):
            self._observe(RowUnreadable("outbox", number))
        return promises

    async def kept(self, numbers: Sequence[int]) -> None:
        """Forget what was published."""
        async with self._database.intend() as connection:
            await connection.execute(delete(outbox).where(outbox.c.number.in_(numbers)))
            names = [str(number) for number in numbers]
            await note_gone(connection, self._database, "outbox", names)
