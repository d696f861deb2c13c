"""The frozen selection of a replay: one item for each delivery, closed when its fate is known."""

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.schema.tables import replay_items
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.policy.delivery_row import DeliveryRow

WAITING = "waiting"
"""Undelivered when it was selected. Whoever hears of it before its turn need not hear it again."""
AGAIN = "again"
"""Delivered when it was selected, and wanted once more all the same."""
RELEASED = "released"
DELIVERED = "delivered"
FAILED = "failed"
RECONNECTED = "reconnected"
"""Left out at its turn, or after it: the user has come back since the selection was made."""

_CLOSE = (
    update(replay_items)
    .where(replay_items.c.delivery_id == bindparam("_id"), replay_items.c.state == RELEASED)
    .values(state=bindparam("_end"))
)
_MOVE = (
    update(replay_items)
    .where(replay_items.c.job == bindparam("_job"), replay_items.c.delivery_id == bindparam("_id"))
    .values(state=bindparam("_state"), reason=bindparam("_reason"))
)


def at_its_turn(item: str, row: DeliveryRow | None, *, back: bool = False) -> str:
    """Return what becomes of an item that waited, when its turn has come.

    Args:
        item: its state.
        row: its delivery, None if there is none any more.
        back: its user has come back, and the job leaves such out.
    """
    if row is None or row.state == DeliveryState.DISCARDED:
        return FAILED
    if row.delivered and item == WAITING:
        return DELIVERED
    return RECONNECTED if back else RELEASED


async def move_items(
    connection: AsyncConnection, job: str, states: Mapping[str, tuple[str, str | None]]
) -> None:
    """Set state and reason of these items of one job."""
    moved = [
        {"_job": job, "_id": one, "_state": state, "_reason": reason}
        for one, (state, reason) in sorted(states.items())
    ]
    if moved:
        await connection.execute(_MOVE, moved)


async def close_items(connection: AsyncConnection, ends: Mapping[str, bool]) -> None:
    """Close the released items of deliveries that ended, in every job that waits for them.

    Args:
        connection: inside the transaction in which they end.
        ends: by delivery, whether it was delivered.
    """
    closed = [{"_id": one, "_end": DELIVERED if ends[one] else FAILED} for one in sorted(ends)]
    if closed:
        await connection.execute(_CLOSE, closed)


async def next_items(
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
