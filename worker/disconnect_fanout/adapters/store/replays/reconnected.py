"""Whose user has linked the platform again since: notified now, it would cut somebody off.

A replay's selection is judged when it is made, each delivery again when its turn comes, and once
more before every request: days may lie between them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.links.candidates import links_of
from disconnect_fanout.adapters.store.rows.replay_items import move_items
from disconnect_fanout.adapters.store.rows.written import write
from disconnect_fanout.adapters.store.schema.tables import replay_items, replays
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.replay import ReplayState
from disconnect_fanout.policy.delivery_row import DeliveryRow, lapsed, returned
from disconnect_fanout.policy.plan import said_again
from disconnect_fanout.policy.replay_item import ItemState
from disconnect_fanout.policy.transition import Transition


async def reconnected(
    connection: AsyncConnection,
    database: Database,
    seals: Seals,
    events: Collection[DisconnectEvent],
    judge: Callable[[Link, DisconnectEvent], bool] = said_again,
) -> set[tuple[str, str]]:
    """Return which event's user has come back to which platform, as their ids."""
    users = [event.user for event in events]
    links = await links_of(connection, database, seals, users)
    return {
        (event.id, link.platform_id)
        for event, found in zip(events, links, strict=True)
        for link in found.values()
        if judge(link, event)
    }


async def leave_out(
    connection: AsyncConnection,
    database: Database,
    seals: Seals,
    rows: Sequence[DeliveryRow],
    events: Mapping[str, DisconnectEvent],
) -> set[str]:
    """Give up those replayed rows whose user has come back; return their ids.

    Each is the dead letter again that it was, and its items count as reconnected. A job that was
    asked to include them has them sent.

    Args:
        connection: in the transaction in which they would be claimed.
        database: speaks the dialect.
        seals: opens links.
        rows: due, locked, replayed.
        events: by id.
    """
    back = await reconnected(connection, database, seals, events.values())
    suspects = [row for row in rows if (row.event_id, row.platform_id) in back]
    if not suspects:
        return set()
    items = await _items(connection, database, [row.id for row in suspects])
    wanted = {one.delivery_id for one in items if one.include_reconnected and _runs(one)}
    out = {row.id: row for row in suspects if row.id not in wanted}
    reasons = {one.delivery_id: one.reason for one in items if one.reason is not None}
    heirs = {
        one.delivery_id: one.job
        for one in items
        if one.include_reconnected and one.delivery_id in out
    }
    given_up = [
        Transition(row, returned(lapsed(row), reasons.get(one), heirs.get(one)))
        for one, row in out.items()
    ]
    await write(connection, database, given_up)
    for one, heir in heirs.items():
        await move_items(connection, heir, {one: (ItemState.RELEASED, reasons.get(one))})
    await _close(connection, database, out)
    return set(out)


async def _items(
    connection: AsyncConnection, database: Database, ids: Collection[str]
) -> Sequence[Any]:
    """Return what waits for the end of these deliveries, and whom it includes."""
    found = await connection.execute(
        select(
            replay_items.c.delivery_id,
            replay_items.c.job,
            replay_items.c.reason,
            replays.c.include_reconnected,
            replays.c.state,
        )
        .join(replays, replays.c.id == replay_items.c.job)
        .where(
            database.among(replay_items.c.delivery_id, ids),
            replay_items.c.state == ItemState.RELEASED,
            replays.c.state != ReplayState.CANCELLED,
        )
    )
    return found.all()


def _runs(item: Any) -> bool:  # noqa: ANN401 - a row of _items
    return bool(item.state == ReplayState.RUNNING)


async def _close(connection: AsyncConnection, database: Database, ids: Collection[str]) -> None:
    judging = select(replays.c.id).where(~replays.c.include_reconnected)
    await connection.execute(
        update(replay_items)
        .where(
            and_(
                database.among(replay_items.c.delivery_id, ids),
                replay_items.c.state == ItemState.RELEASED,
                replay_items.c.job.in_(judging),
            )
        )
        .values(state=ItemState.RECONNECTED)
    )
