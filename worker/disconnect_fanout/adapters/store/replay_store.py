"""The pacer of replays: makes the next deliveries of each running job pending again.

The rate is a fact about rows, so that it holds over pauses, restarts and any number of workers:
each job remembers the slot that it gave last, and whoever gives the next one holds the job's lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.delivery_row import DeliveryRow, replayed
from disconnect_fanout.adapters.store.instant import span_ms
from disconnect_fanout.adapters.store.locked_rows import lock_named, save
from disconnect_fanout.adapters.store.replay_items import (
    DELIVERED,
    FAILED,
    RELEASED,
    WAITING,
    move_items,
)
from disconnect_fanout.adapters.store.replay_job import DONE, RUNNING
from disconnect_fanout.adapters.store.tables import replay_items, replays
from disconnect_fanout.domain.delivery import DeliveryState

_MOST_AT_ONCE = 500


class SqlReplayStore:
    """``flow.replayer.ReplayStore`` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def advance(self, horizon_s: float) -> int:
        """Release what the rate of each running job allows within the coming ``horizon_s``.

        Returns:
            How many deliveries had their turn. Nearly always they were made pending again; those
            that meanwhile were delivered, discarded or sent by another job were not.
        """
        running = select(replays.c.id).where(replays.c.state == RUNNING)
        async with self._database.read() as connection:
            jobs = (await connection.execute(running.order_by(replays.c.created_at))).scalars()
            ids = list(jobs)
        return sum([await self._turn(job, span_ms(horizon_s)) for job in ids])

    async def _turn(self, job: str, horizon_ms: int) -> int:
        async with self._database.record() as connection:
            slots = await self._slots(connection, job, horizon_ms)
            items = await _waiting(connection, job, len(slots))
            if items:
                rows = await lock_named(connection, self._database, items)
                await _release(connection, job, items, rows, slots)
            elif slots:
                await self._finish(connection, job)
        return len(items)

    async def _slots(self, connection: AsyncConnection, job: str, horizon_ms: int) -> list[int]:
        """Return the next slots, none if another worker paces this job at this moment."""
        found = await connection.execute(
            select(replays.c.rate_per_s, replays.c.slot_at, self._database.now_ms)
            .where(replays.c.id == job, replays.c.state == RUNNING)
            .with_for_update(skip_locked=True)
        )
        row = found.first()
        return [] if row is None else slots(row[0], row[1], row[2], horizon_ms)

    async def _finish(self, connection: AsyncConnection, job: str) -> None:
        unfinished = exists().where(
            replay_items.c.job == job, replay_items.c.state.in_((WAITING, RELEASED))
        )
        await connection.execute(
            update(replays)
            .where(replays.c.id == job, ~unfinished)
            .values(state=DONE, finished_at=self._database.now_ms)
        )


def slots(rate_per_s: float | None, last: int, now: int, horizon_ms: int) -> list[int]:
    """Return the instants at which the next deliveries may go, milliseconds.

    Args:
        rate_per_s: None for all of them now.
        last: the slot given last, 0 before the first.
        now: by the database's clock.
        horizon_ms: no slot lies further ahead.
    """
    if rate_per_s is None:
        return [now] * _MOST_AT_ONCE
    interval = 1000 / rate_per_s
    first = max(now, last + interval)
    room = int((now + horizon_ms - first) // interval) + 1
    return [round(first + nth * interval) for nth in range(min(room, _MOST_AT_ONCE))]


async def _waiting(connection: AsyncConnection, job: str, limit: int) -> list[str]:
    if not limit:
        return []
    found = await connection.execute(
        select(replay_items.c.delivery_id)
        .where(replay_items.c.job == job, replay_items.c.state == WAITING)
        .order_by(replay_items.c.delivery_id)
        .limit(limit)
    )
    return list(found.scalars())


async def _release(
    connection: AsyncConnection,
    job: str,
    items: Sequence[str],
    rows: Mapping[str, DeliveryRow],
    free: Sequence[int],
) -> None:
    """Make what is dead pending at its slot; close the items of what is not to be sent."""
    dead = [row for row in rows.values() if row.standing]
    released = [replayed(row, slot, job) for row, slot in zip(dead, free, strict=False)]
    # Another job, or an attempt, is under way already: its end is the end of this item too.
    riding = [replace(row, job=row.job or job) for row in rows.values() if _under_way(row)]
    await save(connection, [*released, *riding])
    await move_items(connection, job, {one: _next_state(rows.get(one)) for one in items})
    if released:
        await connection.execute(
            update(replays).where(replays.c.id == job).values(slot_at=free[len(released) - 1])
        )


def _under_way(row: DeliveryRow) -> bool:
    return row.state == DeliveryState.PENDING and not row.decided


def _next_state(row: DeliveryRow | None) -> str:
    if row is None or row.state == DeliveryState.DISCARDED:
        return FAILED
    return DELIVERED if row.state == DeliveryState.DELIVERED else RELEASED
