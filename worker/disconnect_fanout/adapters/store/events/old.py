"""Events older than the retention, of whose deliveries none is open: pruned, with all they have.

An event goes only as a whole, for its id is the idempotency key, and its deliveries are what its
number of recipients adds up to. One that is too large for a transaction goes in pieces, and its
number of recipients shrinks with them: so the balance closes at any moment.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Row, and_, bindparam, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.rows.delivery_filter import in_state
from disconnect_fanout.adapters.store.schema.tables import attempts, deliveries, events, waiting
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.instant import span_ms

LARGEST_BATCH = 500
"""Rows in one transaction, of all tables together; a delivery with all its attempts at least."""

_Row: TypeAlias = Row[Any]
_CANDIDATES = 100
_SHRINK = (
    update(events)
    .where(events.c.id == bindparam("_id"))
    .values(recipients=events.c.recipients - bindparam("_gone"))
)


class OldEvents:
    """``flow.housekeeping.PeriodicJob``.

    Args:
        keep_s: the retention.
    """

    def __init__(self, database: Database, keep_s: float) -> None:
        self._database = database
        self._before = database.now_ms - span_ms(keep_s)
        closed = in_state(DeliveryState.DELIVERED, DeliveryState.DISCARDED)
        self._prunable = and_(closed, ~waiting, deliveries.c.settled_at < self._before)
        self._from = 0  # what came in earlier is done with, in this pass

    async def do_some(self) -> int:
        """Prune a batch; return how many rows went, 0 when the pass is over."""
        found = await self._candidates()
        self._from = found[0].received_at if found else 0
        pruned = await self._prune([row.id for row in found]) if found else 0
        if not pruned:
            self._from = 0
        return pruned

    async def _candidates(self) -> Sequence[Row[str, int]]:
        """Return the oldest events that may go; those with an open delivery are passed over."""
        open_still = exists().where(deliveries.c.event_id == events.c.id, ~self._prunable)
        wanted = (
            select(events.c.id, events.c.received_at)
            .where(
                events.c.received_at >= self._from,
                events.c.received_at < self._before,
                ~open_still,
            )
            .order_by(events.c.received_at)
            .limit(_CANDIDATES)
        )
        async with self._database.read() as connection:
            return (await connection.execute(wanted)).all()

    async def _prune(self, event_ids: Sequence[str]) -> int:
        """Remove as much as one transaction may; look again first, now under lock."""
        async with self._database.intend() as connection:
            found = await self._lock_deliveries(connection, event_ids)
            recipients = await self._lock_events(connection, event_ids)
            ready = [one for one in event_ids if _complete(recipients.get(one), found[one])]
            batch: list[_Row] = []
            left = LARGEST_BATCH - _CANDIDATES
            for row in (row for one in ready for row in found[one]):
                left -= 1 + row.attempts
                if batch and left < 0:
                    break
                batch.append(row)
            return await self._remove(connection, ready, recipients, batch)

    async def _lock_deliveries(
        self, connection: AsyncConnection, event_ids: Sequence[str]
    ) -> Mapping[str, list[_Row]]:
        """Deliveries before events, and in the order of their ids, as everybody locks."""
        columns = (deliveries.c.id, deliveries.c.event_id, deliveries.c.attempts)
        wanted = (
            select(*columns, self._prunable.label("prunable"))
            .where(self._database.among(deliveries.c.event_id, event_ids))
            .order_by(deliveries.c.id)
            .with_for_update()
        )
        found: dict[str, list[_Row]] = {one: [] for one in event_ids}
        for row in await connection.execute(wanted):
            found[row.event_id].append(row)
        return found

    async def _lock_events(
        self, connection: AsyncConnection, event_ids: Sequence[str]
    ) -> Mapping[str, int]:
        wanted = (
            select(events.c.id, events.c.recipients)
            .where(self._database.among(events.c.id, event_ids))
            .order_by(events.c.id)
            .with_for_update()
        )
        return {row.id: row.recipients for row in await connection.execute(wanted)}

    async def _remove(
        self,
        connection: AsyncConnection,
        event_ids: Sequence[str],
        recipients: Mapping[str, int],
        batch: Sequence[_Row],
    ) -> int:
        ids = [row.id for row in batch]
        gone = Counter(row.event_id for row in batch)
        empty = [one for one in event_ids if gone[one] == recipients[one]]
        among = self._database.among
        rows = 0
        for table, column, values in (
            (attempts, attempts.c.delivery_id, ids),
            (deliveries, deliveries.c.id, ids),
            (events, events.c.id, empty),
        ):
            done = await connection.execute(delete(table).where(among(column, values)))
            rows += done.rowcount
        smaller = [{"_id": one, "_gone": gone[one]} for one in gone if one not in empty]
        if smaller:
            await connection.execute(_SHRINK, smaller)
        return rows


def _complete(recipients: int | None, rows: Sequence[_Row]) -> bool:
    """It is still there, all its recipients are among the rows, and each of them may go."""
    return recipients == len(rows) and all(row.prunable for row in rows)
