"""New slots after a pause, so that what a replay had released does not go in a burst."""

from typing import Any

from sqlalchemy import Row, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.rows.locked import lock_first, save
from disconnect_fanout.adapters.store.schema.tables import deliveries, replaying, replays
from disconnect_fanout.policy.delivery_row import reslotted
from disconnect_fanout.policy.replay_slots import MOST_AT_ONCE, slots_after_pause


async def reslot_some(
    connection: AsyncConnection, database: Database, job: Row[Any], after: str, last: int
) -> tuple[str, int] | None:
    """Give new slots to some of what a paused job had released and is not on its way.

    Retries that came due in the pause are among it: all at once they would be a burst too.

    Args:
        connection: in a transaction that has the job locked.
        database: speaks the dialect.
        job: its row, with ``now``.
        after: the delivery that had its slot last, in the order of the ids.
        last: that slot.

    Returns:
        ``after`` and ``last`` of the next portion, None when there is no more.
    """
    if job.rate_per_s is None:
        return None
    unsent = deliveries.c.next_at == deliveries.c.born_at
    rows = await lock_first(
        connection,
        database,
        replaying,
        deliveries.c.job == job.id,
        deliveries.c.id > after,
        deliveries.c.lease.is_(None),
        or_(unsent, deliveries.c.next_at <= database.now_ms),
        order=deliveries.c.id,
        limit=MOST_AT_ONCE,
    )
    free = slots_after_pause(job.rate_per_s, max(job.now, last), len(rows))
    await save(connection, [reslotted(row, at) for row, at in zip(rows, free, strict=True)])
    if free:
        given = update(replays).where(replays.c.id == job.id).values(slot_at=free[-1])
        await connection.execute(given)
    return (rows[-1].id, free[-1]) if len(rows) == MOST_AT_ONCE else None
