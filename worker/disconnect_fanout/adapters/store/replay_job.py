"""A replay as the command sees it: created with a frozen selection, then only watched."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, insert, literal, select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.replay_items import DELIVERED, FAILED, WAITING
from disconnect_fanout.adapters.store.tables import deliveries, replay_items, replays

RUNNING = "running"
DONE = "done"


@dataclass(frozen=True, slots=True)
class ReplayProgress:
    """How far a replay has come; the fields of CONTRACT section 6.

    Attributes:
        selected: deliveries that the job sends again.
        reconnected: deliveries that were left out, because their user has come back since.
        failed: dead again, or no longer there to be sent.
        pending: waiting for their slot, or sent and not yet settled.
    """

    job: str
    state: str
    selected: int
    reconnected: int
    delivered: int
    failed: int
    pending: int


class ReplayJobs:
    """Creates jobs and tells how they are doing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        selection: Sequence[str] | Select[tuple[str]],
        *,
        rate_per_s: float | None = None,
        reconnected: int = 0,
    ) -> str:
        """Store a job and freeze its selection, in one transaction; return the job's id.

        Args:
            selection: ids of deliveries, or a query for them: 100,000 never leave the database.
            rate_per_s: releases a second over all workers, None for as fast as they can.
            reconnected: how many the selection leaves out, for the report.
        """
        job = uuid.uuid4().hex[:12]
        chosen = self._selected(selection).subquery()
        items = select(literal(job), chosen.c[0], literal(WAITING))
        async with self._database.record() as connection:
            frozen = await connection.execute(
                insert(replay_items).from_select(["job", "delivery_id", "state"], items)
            )
            await connection.execute(
                insert(replays).values(
                    id=job,
                    state=RUNNING,
                    rate_per_s=rate_per_s,
                    selected=frozen.rowcount,
                    reconnected=reconnected,
                    slot_at=0,
                    created_at=self._database.now_ms,
                )
            )
        return job

    async def progress(self, job: str) -> ReplayProgress | None:
        """Return how far the job has come, or None if there is no such job."""
        counted = select(replay_items.c.state, func.count()).where(replay_items.c.job == job)
        async with self._database.read() as connection:
            row = (await connection.execute(select(replays).where(replays.c.id == job))).first()
            groups = await connection.execute(counted.group_by(replay_items.c.state))
            counts: dict[str, int] = {state: count for state, count in groups}  # noqa: C416 - typed
        if row is None:
            return None
        delivered, failed = counts.get(DELIVERED, 0), counts.get(FAILED, 0)
        return ReplayProgress(
            job=job,
            state=row.state,
            selected=row.selected,
            reconnected=row.reconnected,
            delivered=delivered,
            failed=failed,
            pending=sum(counts.values()) - delivered - failed,
        )

    def _selected(self, selection: Sequence[str] | Select[tuple[str]]) -> Select[tuple[str]]:
        """Each delivery once, and only those that exist."""
        if isinstance(selection, Select):
            return selection.distinct()
        return select(deliveries.c.id).where(self._database.among(deliveries.c.id, selection))
