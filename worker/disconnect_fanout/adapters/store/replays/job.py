"""A replay as commands see it: created with a frozen selection, watched, paused, cancelled."""

import uuid
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Row, case, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.replays.reslot import reslot_some
from disconnect_fanout.adapters.store.rows.delivery_filter import in_state
from disconnect_fanout.adapters.store.rows.legible import legible, require_legible
from disconnect_fanout.adapters.store.schema.tables import deliveries, replay_items, replays
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.domain.replay import ReplayProgress, ReplayState, WrongState
from disconnect_fanout.policy.replay_item import ItemState
from disconnect_fanout.policy.replay_slots import MOST_AT_ONCE

_SHOWN = ("state", "selected", "reconnected", "delivered", "failed", "created_at")

_TO_BE_PAUSED = (ReplayState.RUNNING,)
_TO_BE_RESUMED = (ReplayState.PAUSED,)
_TO_BE_CANCELLED = (ReplayState.SELECTING, ReplayState.RUNNING, ReplayState.PAUSED)


class ReplayJobs:
    """Creates jobs, tells how they are doing, and holds them up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        selection: Sequence[str],
        *,
        rate_per_s: float | None = None,
        reconnected: int = 0,
        again: bool = False,
        include_reconnected: bool = False,
    ) -> str:
        """Store a job with its selection, in portions; return the job's id.

        Workers see nothing of it before it is complete. Whoever is killed before that leaves a job
        that sends nothing.

        Args:
            selection: ids of deliveries; unknown ones are left out.
            rate_per_s: releases a second over all workers, None for as fast as they can.
            reconnected: how many the selection leaves out, for the report.
            again: what is delivered is sent again.
            include_reconnected: leave nobody out because he has come back.
        """
        job = uuid.uuid4().hex[:12]
        values = {
            "id": job,
            "state": ReplayState.SELECTING,
            "rate_per_s": rate_per_s,
            "include_reconnected": include_reconnected,
        }
        counts = {"selected": 0, "reconnected": reconnected, "slot_at": 0}
        async with self._database.record() as connection:
            new = insert(replays).values(**values, **counts, created_at=self._database.now_ms)
            await connection.execute(new)
        for portion in _portions(selection):
            async with self._database.record() as connection:
                await self._freeze(connection, job, portion, again=again)
        complete = update(replays).where(
            replays.c.id == job, replays.c.state == ReplayState.SELECTING
        )
        async with self._database.record() as connection:
            await connection.execute(complete.values(state=ReplayState.RUNNING))
        return job

    async def progress(self, job: str) -> ReplayProgress | None:
        """Return how far the job has come, or None if there is no such job."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(replays).where(replays.c.id == job))).first()
            if row is None:
                return None
            require_legible(replays, row, _SHOWN)
            return await _progress(connection, row)

    async def all(self, limit: int) -> list[ReplayProgress]:
        """Return how far the jobs have come, the newest first."""
        newest = select(replays).order_by(replays.c.created_at.desc(), replays.c.id).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(newest)).all()
            rows = legible(self._database, replays, rows, _SHOWN)
            return [await _progress(connection, row) for row in rows]

    async def pause(self, job: str) -> None:
        """Hold everything of a job, what was released and waits for a retry included.

        Raises:
            NotFound: no such job.
            WrongState: it has ended, or is not complete yet.
        """
        await self._move(job, _TO_BE_PAUSED, ReplayState.PAUSED)

    async def resume(self, job: str) -> None:
        """Let it go on, at its rate: all that was released and is overdue is given new slots first.

        In portions, while the job is still paused; whoever is killed meanwhile leaves it paused.

        Raises:
            NotFound: no such job.
            WrongState: it is done, or cancelled.
        """
        last: tuple[str, int] | None = ("", 0)
        while last is not None:
            async with self._database.record() as connection:
                row = await self._may_become(connection, job, _TO_BE_RESUMED, ReplayState.RUNNING)
                if row is None:
                    return
                last = await reslot_some(connection, self._database, row, *last)
                if last is None:
                    await _set(connection, job, ReplayState.RUNNING)

    async def cancel(self, job: str) -> None:
        """Send nothing more of it; workers take back what was released.

        Raises:
            NotFound: no such job.
            WrongState: it is done.
        """
        await self._move(job, _TO_BE_CANCELLED, ReplayState.CANCELLED)

    async def _freeze(
        self, connection: AsyncConnection, job: str, portion: Sequence[str], *, again: bool
    ) -> None:
        state: Any = literal(ItemState.WAITING)
        if again:
            state = case(
                (in_state(DeliveryState.DELIVERED), ItemState.AGAIN), else_=ItemState.WAITING
            )
        chosen = select(literal(job), deliveries.c.id, deliveries.c.platform_id, state).where(
            self._database.among(deliveries.c.id, portion)
        )
        columns = ["job", "delivery_id", "platform_id", "state"]
        frozen = await connection.execute(insert(replay_items).from_select(columns, chosen))
        more = replays.c.selected + frozen.rowcount
        await connection.execute(update(replays).where(replays.c.id == job).values(selected=more))

    async def _move(self, job: str, before: Collection[ReplayState], after: ReplayState) -> None:
        async with self._database.record() as connection:
            if await self._may_become(connection, job, before, after) is not None:
                await _set(connection, job, after)

    async def _may_become(
        self,
        connection: AsyncConnection,
        job: str,
        before: Collection[ReplayState],
        after: ReplayState,
    ) -> Row[Any] | None:
        """Return the job, locked; None if it is in the wanted state already."""
        found = await connection.execute(
            select(replays, self._database.now_ms.label("now"))
            .where(replays.c.id == job)
            .with_for_update()
        )
        row = found.first()
        if row is None:
            raise NotFound("replay", job)
        if row.state == after:
            return None
        if row.state not in before:
            raise WrongState(f"the replay {job} can't become {after}: it is {row.state}")
        return row


async def _set(connection: AsyncConnection, job: str, state: ReplayState) -> None:
    await connection.execute(update(replays).where(replays.c.id == job).values(state=state))


async def _progress(connection: AsyncConnection, job: Row[Any]) -> ReplayProgress:
    delivered, failed, left_out = job.delivered, job.failed, 0
    if job.finished_at is None:
        counted = (
            select(replay_items.c.state, func.count())
            .where(replay_items.c.job == job.id)
            .group_by(replay_items.c.state)
        )
        counts = {row[0]: row[1] for row in await connection.execute(counted)}
        delivered, failed = counts.get(ItemState.DELIVERED, 0), counts.get(ItemState.FAILED, 0)
        left_out = counts.get(ItemState.RECONNECTED, 0)
    return ReplayProgress(
        job=job.id,
        state=job.state,
        selected=job.selected - left_out,
        reconnected=job.reconnected + left_out,
        delivered=delivered,
        failed=failed,
        pending=job.selected - left_out - delivered - failed,
    )


def _portions(selection: Sequence[str]) -> Iterator[list[str]]:
    """Each id once, some at a time: SQLite has one writer, and workers want their turn."""
    ids = iter(dict.fromkeys(selection))
    while portion := list(islice(ids, MOST_AT_ONCE)):
        yield portion
