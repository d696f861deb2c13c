"""The frozen selection of a replay: one item for each delivery, closed when its fate is known."""

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.delivery_row import DeliveryRow
from disconnect_fanout.adapters.store.tables import replay_items
from disconnect_fanout.domain.delivery import DeliveryState

WAITING = "waiting"
RELEASED = "released"
DELIVERED = "delivered"
FAILED = "failed"

_CLOSE = (
    update(replay_items)
    .where(replay_items.c.delivery_id == bindparam("_id"), replay_items.c.state == RELEASED)
    .values(state=bindparam("_end"))
)
_MOVE = (
    update(replay_items)
    .where(replay_items.c.job == bindparam("_job"), replay_items.c.delivery_id == bindparam("_id"))
    .values(state=bindparam("_state"))
)


async def move_items(connection: AsyncConnection, job: str, states: Mapping[str, str]) -> None:
    """Set the states of these items of one job."""
    await connection.execute(
        _MOVE, [{"_job": job, "_id": one, "_state": states[one]} for one in sorted(states)]
    )


async def close_items(
    connection: AsyncConnection, changes: Sequence[tuple[DeliveryRow, DeliveryRow]]
) -> None:
    """Close the released items of those deliveries that ended, in every job that waits for them.

    Args:
        connection: inside the transaction in which they end.
        changes: rows before and after.
    """
    ends = [
        {"_id": after.id, "_end": end}
        for before, after in changes
        if after.job is not None and (end := _end(before, after))
    ]
    if ends:
        await connection.execute(_CLOSE, sorted(ends, key=lambda one: one["_id"]))


def _end(before: DeliveryRow, after: DeliveryRow) -> str | None:
    if after.state == DeliveryState.DELIVERED and before.state != DeliveryState.DELIVERED:
        return DELIVERED
    if after.reason is not None and before.reason is None:
        return FAILED
    return None
