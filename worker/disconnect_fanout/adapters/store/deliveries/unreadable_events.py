"""Events that none of the keys in use opens: set aside alone, and taken back when they open again.

Their deliveries wait: nothing is attempted or rejected for a row that is damaged here. Each is
looked at again every half minute, for the missing key or a copy of the row may come back.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, exists, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.rows.written import write
from disconnect_fanout.adapters.store.schema.key_tables import unreadable_rows
from disconnect_fanout.adapters.store.schema.tables import deliveries, events, waiting
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.secret_keys import require_keys
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.adapters.store.seals.unreadable_rows import note_unreadable
from disconnect_fanout.domain.bad_row import BadRow, RowKind
from disconnect_fanout.policy.delivery_row import (
    PUT_OFF_MS,
    DeliveryRow,
    lapsed,
    put_off,
)
from disconnect_fanout.policy.transition import Transition

_EVENTS = RowKind.EVENTS.value
UNREADABLE = "sealed: no secret key in use opens it, or a newer version wrote it"
_MOST_AT_ONCE = 500
_OF_EVENT = (events.c.user_hash, events.c.sealed)
_HERE = unreadable_rows.c.of_table == literal_column(f"'{_EVENTS}'")


class UnreadableEvents:
    """``flow.housekeeping.PeriodicJob``: looks whether they open by now."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals
        self._after = ""

    async def set_aside(self, connection: AsyncConnection, rows: Sequence[DeliveryRow]) -> None:
        """Put off deliveries whose event can't be opened, inside their claim.

        Raises:
            SecretKeyMissing: it is this process that lacks a key.
        """
        if not rows:
            return
        await require_keys(connection, self._seals)
        left = [Transition(row, put_off(lapsed(row))) for row in rows]
        await write(connection, self._database, left)
        names = sorted({row.event_id for row in rows})
        for name in await note_unreadable(connection, self._database, _EVENTS, names):
            self._database.set_aside.note(BadRow(RowKind.EVENTS, name, UNREADABLE))

    async def do_some(self) -> int:
        """Take back those that open, or of which nothing is left; return how many, 0 at the end."""
        while page := await self._page():
            self._after = page[-1].row
            back = [row.row for row in page if self._opens(row)]
            if back:
                await self._take_back(back)
                return len(back)
        self._after = ""
        return 0

    async def _page(self) -> Sequence[Row[Any]]:
        missed = exists().where(deliveries.c.event_id == unreadable_rows.c.row, waiting)
        wanted = (
            select(unreadable_rows.c.row, *_OF_EVENT, missed.label("missed"))
            .outerjoin(events, events.c.id == unreadable_rows.c.row)
            .where(_HERE, unreadable_rows.c.row > self._after)
            .order_by(unreadable_rows.c.row)
            .limit(_MOST_AT_ONCE)
        )
        async with self._database.read() as connection:
            return (await connection.execute(wanted)).all()

    def _opens(self, row: Row[Any]) -> bool:
        """Forgotten, or gone with its deliveries: nothing is left to be opened."""
        if row.sealed is None:
            return not row.missed
        if row.user_hash is None and not row.sealed:
            return True
        try:
            self._seals.open_event(row.sealed)
        except (Unsealable, UnreadableRow):
            return False
        return True

    async def _take_back(self, names: Sequence[str]) -> None:
        among, now = self._database.among, self._database.now_ms
        due = update(deliveries).where(
            waiting,
            deliveries.c.lease.is_(None),
            deliveries.c.not_before == deliveries.c.next_at,
            deliveries.c.next_at <= now + PUT_OFF_MS,
            among(deliveries.c.event_id, names),
        )
        gone = delete(unreadable_rows).where(_HERE, among(unreadable_rows.c.row, names))
        async with self._database.record() as connection:
            await connection.execute(due.values(next_at=now, not_before=None))
            await connection.execute(gone)
