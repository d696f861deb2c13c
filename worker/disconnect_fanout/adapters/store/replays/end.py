"""The end of a replay: its items are counted once more, and the counts are kept with the job."""

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import replay_items, replays
from disconnect_fanout.domain.replay import ReplayState
from disconnect_fanout.policy.replay_item import ItemState

_OPEN = {
    ReplayState.DONE: (ItemState.WAITING, ItemState.AGAIN, ItemState.RELEASED),
    ReplayState.CANCELLED: (ItemState.RELEASED,),
}


async def finish(
    connection: AsyncConnection, database: Database, job: str, state: ReplayState
) -> None:
    """Finish a job, unless some of its items are still open."""
    unfinished = exists().where(replay_items.c.job == job, replay_items.c.state.in_(_OPEN[state]))
    await connection.execute(
        update(replays)
        .where(replays.c.id == job, ~unfinished)
        .values(
            state=state,
            finished_at=database.now_ms,
            delivered=_count(job, ItemState.DELIVERED),
            failed=_count(job, ItemState.FAILED),
            selected=replays.c.selected - _count(job, ItemState.RECONNECTED),
            reconnected=replays.c.reconnected + _count(job, ItemState.RECONNECTED),
        )
    )


def _count(job: str, state: str) -> ColumnElement[int]:
    items = replay_items.c.job == job, replay_items.c.state == state
    return select(func.count()).select_from(replay_items).where(*items).scalar_subquery()
