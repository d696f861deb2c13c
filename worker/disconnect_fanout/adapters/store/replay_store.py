"""The pacer of replays: makes the next deliveries of each running job pending again.

The rate is a fact about rows, so that it holds over pauses, restarts and any number of workers:
each job remembers the slot that it gave last, and whoever gives the next one holds the job's lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Row, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.delivery_row import DeliveryRow, replayed
from disconnect_fanout.adapters.store.instant import span_ms
from disconnect_fanout.adapters.store.locked_rows import lock_named, save
from disconnect_fanout.adapters.store.replay_end import finish
from disconnect_fanout.adapters.store.replay_items import (
    AGAIN,
    RELEASED,
    WAITING,
    at_its_turn,
    move_items,
)
from disconnect_fanout.adapters.store.replay_return import take_back
from disconnect_fanout.adapters.store.replay_slots import most_unsent, slots
from disconnect_fanout.adapters.store.tables import deliveries, replay_items, replaying, replays
from disconnect_fanout.domain.bad_row import BadRow, RowKind
from disconnect_fanout.domain.replay import ReplayState

_UNFINISHED = or_(
    replays.c.state == ReplayState.RUNNING,
    and_(replays.c.state == ReplayState.CANCELLED, replays.c.finished_at.is_(None)),
)


class SqlReplayStore:
    """``flow.replayer.ReplayStore`` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def advance(self, horizon_s: float) -> int:
        """Release what the rate of each running job allows within the coming ``horizon_s``.

        What a cancelled job had released and is not on its way becomes a dead letter again.

        Returns:
            How many deliveries had their turn. Nearly always they were made pending again; those
            that meanwhile were delivered, discarded or sent by another job were not.
        """
        unfinished = select(replays.c.id).where(_UNFINISHED).order_by(replays.c.created_at)
        async with self._database.read() as connection:
            jobs = list((await connection.execute(unfinished)).scalars())
        return sum([await self._turn(job, span_ms(horizon_s)) for job in jobs])

    async def _turn(self, job: str, horizon_ms: int) -> int:
        """Do the next piece of one job, unless another worker is at it at this moment."""
        async with self._database.record() as connection:
            found = await connection.execute(
                select(replays, self._database.now_ms.label("now"))
                .where(replays.c.id == job, _UNFINISHED)
                .with_for_update(skip_locked=True)
            )
            row = found.first()
            if row is None:
                return 0
            if row.rate_per_s is not None and not row.rate_per_s > 0:
                what = "rate_per_s: is no positive number"
                self._database.set_aside.note(BadRow(RowKind.REPLAYS, job, what))
                return 0
            if row.state == ReplayState.CANCELLED:
                return await take_back(connection, self._database, job)
            return await self._release(connection, row, horizon_ms)

    async def _release(
        self, connection: AsyncConnection, job: "Row[tuple[object, ...]]", horizon_ms: int
    ) -> int:
        free = slots(job.rate_per_s, job.slot_at, job.now, horizon_ms)
        most = most_unsent(job.rate_per_s, horizon_ms)
        congested = await self._congested(connection, job.id, most)
        items = await _next_items(connection, job.id, congested, len(free))
        if items:
            rows = await lock_named(connection, self._database, items)
            await _send_again(connection, job.id, items, rows, free)
        elif free:
            await finish(connection, self._database, job.id, ReplayState.DONE)
        return len(items)

    async def _congested(self, connection: AsyncConnection, job: str, most: int) -> list[str]:
        """Return the platforms that have not taken what the job released for them already.

        So a platform that hangs holds up neither the others nor the events that come meanwhile,
        and does not get all that it missed in one burst.
        """
        platform = deliveries.c.platform_id
        found = await connection.execute(
            select(platform)
            .where(
                replaying,
                deliveries.c.job == job,
                deliveries.c.lease.is_(None),
                deliveries.c.next_at <= self._database.now_ms,
            )
            .group_by(platform)
            .having(func.count() >= most)
        )
        return list(found.scalars())


async def _next_items(
    connection: AsyncConnection, job: str, congested: Sequence[str], limit: int
) -> dict[str, str]:
    """Return the next deliveries of a job that wait for their turn, with their items' states."""
    items: dict[str, str] = {}
    for state in (WAITING, AGAIN):
        if limit <= len(items):
            break
        found = await connection.execute(
            select(replay_items.c.delivery_id)
            .where(
                replay_items.c.job == job,
                replay_items.c.state == state,
                replay_items.c.platform_id.not_in(congested),
            )
            .order_by(replay_items.c.delivery_id)
            .limit(limit - len(items))
        )
        items |= dict.fromkeys(found.scalars(), state)
    return items


async def _send_again(
    connection: AsyncConnection,
    job: str,
    items: Mapping[str, str],
    rows: Mapping[str, DeliveryRow],
    free: Sequence[int],
) -> None:
    """Make what is to be sent pending at its slot; close the items of what is not."""
    turns = {one: at_its_turn(state, rows.get(one)) for one, state in items.items()}
    wanted = [rows[one] for one, turn in turns.items() if turn == RELEASED]
    # Another job is sending it already: the end of that is the end of this item too.
    riding = [replace(row, job=row.job or job) for row in wanted if row.under_way]
    idle = [row for row in wanted if not row.under_way]
    released = [replayed(row, slot, job) for row, slot in zip(idle, free, strict=False)]
    await save(connection, [*released, *riding])
    reasons = {row.id: row.reason for row in idle}
    await move_items(connection, job, {one: (turns[one], reasons.get(one)) for one in turns})
    if released:
        await connection.execute(
            update(replays).where(replays.c.id == job).values(slot_at=free[len(released) - 1])
        )
