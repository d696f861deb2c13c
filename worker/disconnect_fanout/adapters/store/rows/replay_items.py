"""The frozen selection of a replay: one item for each delivery, closed when its fate is known."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.schema.tables import replay_items
from disconnect_fanout.policy.replay_item import ItemState
from disconnect_fanout.policy.transition import Transition

_CLOSE = (
    update(replay_items)
    .where(
        replay_items.c.delivery_id == bindparam("_id"), replay_items.c.state == ItemState.RELEASED
    )
    .values(state=bindparam("_end"))
)
_MOVE = (
    update(replay_items)
    .where(replay_items.c.job == bindparam("_job"), replay_items.c.delivery_id == bindparam("_id"))
    .values(state=bindparam("_state"), reason=bindparam("_reason"))
)


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


async def close_items(connection: AsyncConnection, changes: Iterable[Transition]) -> None:
    """Close the released items of deliveries that ended, in every job that waits for them."""
    ends = {one.after.id: one.delivered for one in changes if one.closes_items}
    closed = [
        {"_id": one, "_end": ItemState.DELIVERED if ends[one] else ItemState.FAILED}
        for one in sorted(ends)
    ]
    if closed:
        await connection.execute(_CLOSE, closed)


async def next_items(
    connection: AsyncConnection, job: str, congested: Sequence[str], limit: int
) -> dict[str, str]:
    """Return the next deliveries of a job that wait for their turn, with their items' states."""
    items: dict[str, str] = {}
    for state in (ItemState.WAITING, ItemState.AGAIN):
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
