"""The outbox: events written in the transaction of what they tell of, until they are published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.rows.taken import require_taken
from disconnect_fanout.adapters.store.schema.api_tables import outbox
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.secret_keys import require_keys
from disconnect_fanout.adapters.store.seals.spelling import hash_columns
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.domain.bad_row import BadRow, RowKind
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.instant import span_ms
from disconnect_fanout.flow.relay import Promise

SET_ASIDE_FOR_S = 3600.0
"""A newer version beside us, or an operator who has mended the row, gets it published after all."""
_LONGEST_PROBLEM = 120
_NOBODY_MS = span_ms(2 * SET_ASIDE_FOR_S)
"""Nobody takes a row for so long: the database's clock has gone back since, or it is nonsense."""

_SET_ASIDE = (
    update(outbox)
    .where(outbox.c.number == bindparam("_number"))
    .values(problem=bindparam("_problem"))
)


class SqlOutbox:
    """``flow.relay.Outbox`` on SQLite and PostgreSQL."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals

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
        put = insert(outbox).values(rows).returning(outbox.c.number)
        numbers = (await connection.execute(put)).scalars().all()
        require_taken(outbox.name, len(rows), len(numbers))

    async def take(self, limit: int, for_s: float) -> Sequence[Promise]:
        """Take the oldest ones that nobody else has taken; those that can't be read are set aside.

        So many are taken that a heap of bad ones does not keep the good ones behind it waiting.

        Raises:
            SecretKeyMissing: one is sealed with a key that is not here; nothing is taken.
        """
        while True:
            read = await self._take(limit, for_s)
            if bad := {one.number: one.what for one in read if isinstance(one, _Unread)}:
                await self.set_aside(bad)
            if good := [one for one in read if isinstance(one, Promise)]:
                return good
            if len(read) < limit:
                return ()

    async def set_aside(self, problems: Mapping[int, str]) -> None:
        """Leave rows alone for an hour; say which, and why."""
        marks = [
            {"_number": number, "_problem": what[:_LONGEST_PROBLEM]}
            for number, what in sorted(problems.items())
        ]
        until = self._database.now_ms + span_ms(SET_ASIDE_FOR_S)
        async with self._database.intend() as connection:
            await connection.execute(_SET_ASIDE, marks)
            left = update(outbox).where(outbox.c.number.in_(problems))
            await connection.execute(left.values(taken_until=until))
        for number, what in problems.items():
            self._database.set_aside.note(BadRow(RowKind.OUTBOX, str(number), what))

    async def give_back(self, numbers: Sequence[int]) -> None:
        """Let others, or the next turn, have what could not be published."""
        free = update(outbox).where(outbox.c.number.in_(numbers)).values(taken_until=0)
        async with self._database.intend() as connection:
            await connection.execute(free)

    async def kept(self, numbers: Sequence[int]) -> None:
        """Forget what was published."""
        async with self._database.intend() as connection:
            await connection.execute(delete(outbox).where(outbox.c.number.in_(numbers)))

    async def _take(self, limit: int, for_s: float) -> "Sequence[Promise | _Unread]":
        now = self._database.now_ms
        free = (
            select(outbox.c.number)
            .where(or_(outbox.c.taken_until <= now, outbox.c.taken_until > now + _NOBODY_MS))
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
            read = [self._read(row) for row in sorted(rows, key=lambda row: row.number)]
            if any(isinstance(one, _Unread) for one in read):
                await require_keys(connection, self._seals)
            return read

    def _read(self, row: Row[Any]) -> "Promise | _Unread":
        try:
            return Promise(row.number, self._seals.open_event(row.sealed))
        except UnreadableRow as error:
            return _Unread(row.number, str(error))
        except Unsealable:
            return _Unread(row.number, "sealed: no secret key in use opens it")


@dataclass(frozen=True, slots=True)
class _Unread:
    number: int
    what: str
