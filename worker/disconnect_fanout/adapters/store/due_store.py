"""Waiting rows: found when they are due, claimed under a lease, hastened, given back."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.attempt_rows import cut_off, write_attempts
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.delivery_row import (
    DeliveryRow,
    hastened,
    interrupted,
    leased,
)
from disconnect_fanout.adapters.store.instant import span_ms
from disconnect_fanout.adapters.store.locked_rows import lock_first, save
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.tables import deliveries, events, platforms, waiting
from disconnect_fanout.domain.delivery import LeasedDelivery, Progress
from disconnect_fanout.flow.due import Claim

_MOST_AT_ONCE = 500
_DUE = deliveries.c.next_at


class SqlDueStore:
    """``flow.due.DueStore`` on SQLite and PostgreSQL."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals

    async def due_platforms(self, platform_ids: Collection[str]) -> Collection[str]:
        """Return those of the platforms that have at least one row due now."""
        first = (
            select(func.min(_DUE))
            .where(waiting, deliveries.c.platform_id == platforms.c.id)
            .scalar_subquery()
        )
        statement = select(platforms.c.id).where(
            self._database.among(platforms.c.id, platform_ids), first <= self._database.now_ms
        )
        async with self._database.read() as connection:
            return list((await connection.execute(statement)).scalars())

    async def claim(
        self,
        platform_id: str,
        *,
        limit: int,
        lease_s: float,
        holding: Collection[str],
        reclaim: bool,
    ) -> Sequence[Claim]:
        """Lease up to ``limit`` due rows of one platform, the longest due first.

        A claim need not reach the disk: lost with the machine, it leaves the row due.

        Raises:
            StoreUnreachable: nothing is known to be claimed; a lost claim's lease expires.
            Unsealable: an event is sealed with a key that is not configured; nothing is claimed.
        """
        unleased = () if reclaim else (deliveries.c.lease.is_(None),)
        async with self._database.intend() as connection:
            rows = await lock_first(
                connection,
                self._database,
                waiting,
                deliveries.c.platform_id == platform_id,
                self._database.now_ms >= _DUE,
                ~self._database.among(deliveries.c.id, holding),
                *unleased,
                order=_DUE,
                limit=limit,
            )
            return await self._claimed(connection, rows, span_ms(lease_s)) if rows else []

    async def hasten(self, platform_id: str) -> int:
        """Make the waiting rows of a recovered platform due, none before its Retry-After."""
        count, after = 0, 0
        while rows := await self._hasten_some(platform_id, after):
            count += len(rows)
            after = rows[-1].next_at or 0
        return count

    async def release_all_leases(self) -> int:
        """Make every leased row due, with the lease's token still on it.

        Only for the start on SQLite, where there is one worker at a time: every lease found is a
        dead one's, and its claim shall see the interruption.
        """
        async with self._database.record() as connection:
            done = await connection.execute(
                update(deliveries)
                .where(waiting, deliveries.c.lease.is_not(None))
                .values(next_at=self._database.now_ms)
            )
        return done.rowcount

    async def _claimed(
        self, connection: AsyncConnection, rows: Sequence[DeliveryRow], lease_ms: int
    ) -> Sequence[Claim]:
        token = uuid.uuid4().hex
        cut = {row.id for row in rows if row.lease is not None}
        mine = [leased(interrupted(row) if row.id in cut else row, token, lease_ms) for row in rows]
        await save(connection, mine)
        await write_attempts(
            connection, self._database, [cut_off(row) for row in mine if row.id in cut]
        )
        sealed = await self._sealed(connection, mine)
        return [
            Claim(self._delivery(row, sealed[row.event_id]), interrupted=row.id in cut)
            for row in mine
        ]

    async def _sealed(
        self, connection: AsyncConnection, rows: Sequence[DeliveryRow]
    ) -> dict[str, bytes]:
        found = await connection.execute(
            select(events.c.id, events.c.sealed).where(
                self._database.among(events.c.id, {row.event_id for row in rows})
            )
        )
        return {row.id: row.sealed for row in found}

    def _delivery(self, row: DeliveryRow, sealed: bytes) -> LeasedDelivery:
        return LeasedDelivery(
            id=row.id,
            platform_id=row.platform_id,
            event=self._seals.open_event(sealed),
            lease=row.lease or "",
            progress=Progress(
                attempts=row.attempts,
                step=row.step,
                age_s=(row.read_at - row.born_at) / 1000,
                replays=row.replays,
            ),
        )

    async def _hasten_some(self, platform_id: str, after: int) -> Sequence[DeliveryRow]:
        """Hasten the first few from this instant on; return them as they were."""
        async with self._database.intend() as connection:
            rows = await lock_first(
                connection,
                self._database,
                waiting,
                deliveries.c.platform_id == platform_id,
                deliveries.c.lease.is_(None),
                self._database.now_ms < _DUE,
                func.coalesce(deliveries.c.not_before, 0) < _DUE,
                after <= _DUE,
                order=_DUE,
                limit=_MOST_AT_ONCE,
            )
            await save(connection, [hastened(row) for row in rows])
        return rows
