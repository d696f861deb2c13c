"""Waiting rows of a platform that is back: made due before their time."""

from sqlalchemy import ColumnElement, func, select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.deliveries.due_rows import DUE, NOT_BEFORE, NOT_HELD
from disconnect_fanout.adapters.store.deliveries.guilty_rows import GuiltyRows
from disconnect_fanout.adapters.store.rows.locked import lock_first, save
from disconnect_fanout.adapters.store.schema.tables import deliveries, waiting
from disconnect_fanout.flow.due import Expedited
from disconnect_fanout.flow.outage import DataRefused
from disconnect_fanout.policy.delivery_row import expedited


class Expediting:
    """Makes rows due.

    Args:
        guilty: those that are left alone.
    """

    def __init__(self, database: Database, guilty: GuiltyRows) -> None:
        self._database = database
        self._guilty = guilty

    async def expedite(self, platform_id: str, limit: int) -> Expedited:
        """Do it for up to ``limit``; see ``flow.due.DueStore``."""
        early = (
            waiting,
            deliveries.c.platform_id == platform_id,
            deliveries.c.lease.is_(None),
            self._database.now_ms < DUE,
            ~self._database.among(deliveries.c.id, self._guilty.names),
            NOT_HELD,
        )
        permitted = (*early, self._database.now_ms >= NOT_BEFORE)
        try:
            done = await self._hasten(limit, *permitted)
        except DataRefused:  # perhaps for what one of them holds
            done = await self._sifted(limit, *permitted)
        if done == limit:
            return Expedited(limit)
        wait = func.min(NOT_BEFORE) - self._database.now_ms
        async with self._database.read() as connection:
            found = await connection.execute(select(wait).where(*early, NOT_BEFORE < DUE))
            wait_ms: int | None = found.scalar_one()
        return Expedited(done, None if wait_ms is None else max(wait_ms, 0) / 1000)

    async def _hasten(self, limit: int, *which: ColumnElement[bool]) -> int:
        async with self._database.intend() as connection:
            rows = await lock_first(connection, self._database, *which, order=DUE, limit=limit)
            await save(connection, [expedited(row) for row in rows])
        return len(rows)

    async def _sifted(self, limit: int, *which: ColumnElement[bool]) -> int:
        done = 0

        async def alone(name: str) -> None:
            nonlocal done
            done += await self._hasten(1, *which, deliveries.c.id == name)

        await self._guilty.sift(await self._guilty.first(limit, *which), alone)
        return done
