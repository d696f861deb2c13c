"""The rows behind the dead letters."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, or_, select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.dead_letters.letter_row import letter_of
from disconnect_fanout.adapters.store.platforms.waiting import (
    unsendable_platforms,
    why_unsendable,
)
from disconnect_fanout.adapters.store.rows.locked import lock_first
from disconnect_fanout.adapters.store.rows.written import write
from disconnect_fanout.adapters.store.schema.tables import dead, decided, deliveries, waiting
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.domain.bad_row import BadRow, RowKind
from disconnect_fanout.domain.dead_letter import DeadLetter
from disconnect_fanout.domain.instant import span_ms
from disconnect_fanout.policy.delivery_row import (
    doomed,
    lapsed,
)
from disconnect_fanout.policy.lease import REPORT_FIRST_MS
from disconnect_fanout.policy.transition import Transition

_MOST_AT_ONCE = 500
_LETTER = (
    deliveries.c.id,
    deliveries.c.event_id,
    deliveries.c.platform_id,
    deliveries.c.reason,
    deliveries.c.attempts,
    deliveries.c.last_result,
    deliveries.c.last_status,
    deliveries.c.first_failed_at,
    deliveries.c.decided_at,
    deliveries.c.replays,
)


class SqlDeadLetterStore:
    """``flow.letters.DeadLetterStore`` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def decided(self, delivery_ids: Collection[str]) -> Sequence[DeadLetter]:
        """Return the letters of those among the ids whose row is decided."""
        named = self._database.among(deliveries.c.id, delivery_ids)
        return await self._letters(select(*_LETTER).where(decided, named).limit(len(delivery_ids)))

    async def overdue(self, older_than_s: float, limit: int) -> Sequence[DeadLetter]:
        """Return letters of rows that have been decided for so long that their worker is gone."""
        before = self._database.now_ms - span_ms(older_than_s)
        return await self._letters(
            select(*_LETTER)
            .where(decided, deliveries.c.decided_at <= before)
            .order_by(deliveries.c.decided_at)
            .limit(limit)
        )

    async def standing(self, keys: Collection[str]) -> Mapping[str, int]:
        """Return, for those ids whose row is decided or dead, their count of replays."""
        statement = select(deliveries.c.id, deliveries.c.replays).where(
            self._database.among(deliveries.c.id, keys), or_(decided, dead)
        )
        async with self._database.read() as connection:
            return {row.id: row.replays for row in await connection.execute(statement)}

    async def dead(self, after: str, limit: int) -> Sequence[DeadLetter]:
        """Return the letters of dead rows with ids above ``after``, in the order of their ids."""
        return await self._letters(
            select(*_LETTER)
            .where(dead, deliveries.c.id > after)
            .order_by(deliveries.c.id)
            .limit(limit)
        )

    async def count_dead(self) -> Mapping[str, int]:
        """Return the number of open dead letters by platform."""
        statement = (
            select(deliveries.c.platform_id, func.count())
            .where(dead)
            .group_by(deliveries.c.platform_id)
        )
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in await connection.execute(statement)}

    async def dead_letter_undeliverable(self) -> int:
        """Decide pending, unleased rows of disabled or unknown platforms; return how many.

        A lease that expired a while ago counts as none: nobody claims such a row any more. What a
        platform is, is asked again for each portion: a million rows take minutes, and an operator
        who enables it in the middle wants the rest notified.
        """
        count = 0
        for platform_id in await unsendable_platforms(self._database):
            while rows := await self._condemn_some(platform_id):
                count += rows
        return count

    async def _letters(self, statement: Select[Any]) -> Sequence[DeadLetter]:
        """Return the letters that can be written; the other rows are said.

        Where a page holds none but those, the next one is read: they hold up nobody behind them.
        """
        letters: list[DeadLetter] = []
        seen = 0
        async with self._database.read() as connection:
            while not letters:
                rows = (await connection.execute(statement.offset(seen))).all()
                letters = [one for row in rows if (one := self._letter(row)) is not None]
                seen += len(rows)
                if not rows:
                    break
        return letters

    def _letter(self, row: Row[Any]) -> DeadLetter | None:
        try:
            return letter_of(row)
        except UnreadableRow as error:
            self._database.set_aside.note(BadRow(RowKind.DELIVERIES, row.id, str(error)))
            return None

    async def _condemn_some(self, platform_id: str) -> int:
        abandoned = self._database.now_ms - REPORT_FIRST_MS
        async with self._database.record() as connection:
            reason = await why_unsendable(connection, platform_id)
            if reason is None:
                return 0
            rows = await lock_first(
                connection,
                self._database,
                waiting,
                deliveries.c.platform_id == platform_id,
                or_(deliveries.c.lease.is_(None), deliveries.c.next_at <= abandoned),
                order=deliveries.c.next_at,
                limit=_MOST_AT_ONCE,
            )
            ended = [Transition(row, doomed(lapsed(row), reason)) for row in rows]
            await write(connection, self._database, ended)
        return len(rows)
