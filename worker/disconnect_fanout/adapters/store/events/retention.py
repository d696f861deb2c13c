"""The retention: what is older and closed is pruned; what is open stays, however old."""

from sqlalchemy import delete, select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.events.old import LARGEST_BATCH, OldEvents
from disconnect_fanout.adapters.store.schema.connect_table import connects
from disconnect_fanout.adapters.store.schema.tables import duties, replay_items, replays
from disconnect_fanout.domain.instant import span_ms

_ABANDONED_MS = 86_400_000  # a duty that nobody has held for a day was one of another version


class Retention:
    """``flow.housekeeping.PeriodicJob``: events with all they have, then connects, replays, duties.

    Args:
        keep_s: nothing younger goes.
    """

    def __init__(self, database: Database, keep_s: float) -> None:
        self._database = database
        self._events = OldEvents(database, keep_s)
        self._before = database.now_ms - span_ms(keep_s)

    async def do_some(self) -> int:
        """Prune a batch; return how many rows went, 0 when nothing is left."""
        return (
            await self._events.do_some()
            or await self._old_connects()
            or await self._old_job()
            or await self._old_duties()
        )

    async def _old_connects(self) -> int:
        old = select(connects.c.id).where(connects.c.received_at < self._before)
        async with self._database.intend() as connection:
            ids = list((await connection.execute(old.limit(LARGEST_BATCH))).scalars())
            gone = delete(connects).where(self._database.among(connects.c.id, ids))
            return (await connection.execute(gone)).rowcount if ids else 0

    async def _old_job(self) -> int:
        """Prune the items of a job that ended long ago; a job without items goes itself."""
        ended = select(replays.c.id).where(replays.c.finished_at < self._before).limit(1)
        async with self._database.intend() as connection:
            job = (await connection.execute(ended)).scalar_one_or_none()
            if job is None:
                return 0
            of_job = replay_items.c.job == job
            some = select(replay_items.c.delivery_id).where(of_job).limit(LARGEST_BATCH)
            ids = list((await connection.execute(some)).scalars())
            named = self._database.among(replay_items.c.delivery_id, ids)
            gone = (
                delete(replay_items).where(of_job, named)
                if ids
                else delete(replays).where(replays.c.id == job)
            )
            return (await connection.execute(gone)).rowcount

    async def _old_duties(self) -> int:
        abandoned = duties.c.until < self._database.now_ms - _ABANDONED_MS
        async with self._database.intend() as connection:
            return (await connection.execute(delete(duties).where(abandoned))).rowcount
