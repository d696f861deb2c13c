"""What a cancelled replay had released goes back to where it was, unless it is on its way."""

from collections.abc import Mapping

from sqlalchemy import case, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.replays.end import finish
from disconnect_fanout.adapters.store.rows.locked import lock_named
from disconnect_fanout.adapters.store.rows.replay_items import move_items
from disconnect_fanout.adapters.store.rows.written import write
from disconnect_fanout.adapters.store.schema.tables import deliveries, replay_items, replays
from disconnect_fanout.domain.replay import ReplayState
from disconnect_fanout.policy.delivery_row import lapsed, returned
from disconnect_fanout.policy.lease import REPORT_FIRST_MS
from disconnect_fanout.policy.replay_item import ItemState, taken_back
from disconnect_fanout.policy.replay_slots import MOST_AT_ONCE
from disconnect_fanout.policy.transition import Transition


async def take_back(connection: AsyncConnection, database: Database, job: str) -> int:
    """Take back some of what a cancelled job had released; finish it when nothing is left.

    A dead letter is one again, for the reason that it had. What is being sent at this moment is
    taken back later if it fails, and has been notified if it does not.

    Returns:
        How many were taken back.
    """
    items = await _released(connection, database, job)
    rows = await lock_named(connection, database, items) if items else {}
    for one in [row.id for row in rows.values() if row.in_hand]:  # since we looked
        del items[one], rows[one]
    mine = [row for row in rows.values() if row.job == job and row.under_way]
    heirs = await _heirs(connection, database, job, [row.id for row in mine])
    back = [
        Transition(row, returned(lapsed(row), items[row.id], heirs.get(row.id))) for row in mine
    ]
    await write(connection, database, back)
    for one, heir in heirs.items():
        await move_items(connection, heir, {one: (ItemState.RELEASED, items[one])})
    await move_items(connection, job, {one: (taken_back(rows.get(one)), None) for one in items})
    if len(items) < MOST_AT_ONCE:
        await finish(connection, database, job, ReplayState.CANCELLED)
    return len(items)


async def _released(
    connection: AsyncConnection, database: Database, job: str
) -> dict[str, str | None]:
    """Return released items that nobody sends at this moment, with their reasons."""
    abandoned = database.now_ms - REPORT_FIRST_MS
    found = await connection.execute(
        select(replay_items.c.delivery_id, replay_items.c.reason)
        .outerjoin(deliveries, deliveries.c.id == replay_items.c.delivery_id)
        .where(
            replay_items.c.job == job,
            replay_items.c.state == ItemState.RELEASED,
            or_(deliveries.c.lease.is_(None), deliveries.c.next_at <= abandoned),
        )
        .limit(MOST_AT_ONCE)
    )
    return {row[0]: row[1] for row in found}


async def _heirs(
    connection: AsyncConnection, database: Database, job: str, ids: list[str]
) -> Mapping[str, str]:
    """Return other jobs, not cancelled, that wait for the end of these deliveries too."""
    found = await connection.execute(
        select(replay_items.c.delivery_id, replay_items.c.job)
        .join(replays, replays.c.id == replay_items.c.job)
        .where(
            database.among(replay_items.c.delivery_id, ids),
            replay_items.c.job != job,
            replay_items.c.state == ItemState.RELEASED,
            replays.c.state != ReplayState.CANCELLED,
        )
        .order_by(case((replays.c.state == ReplayState.RUNNING, 1), else_=0))  # these win
    )
    return {row[0]: row[1] for row in found}
