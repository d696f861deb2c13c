"""Housekeeping: periodic jobs, done in small batches beside the work and never in its way."""

import asyncio
from typing import Protocol

from disconnect_fanout.flow.fact import Observe, PeriodicJobDone
from disconnect_fanout.flow.outage import DataRefused, StoreUnreachable
from disconnect_fanout.flow.supervision.stumbles import Stumbles
from disconnect_fanout.flow.sweeper import LeaderLease


class PeriodicJob(Protocol):
    """Work that can be done a little at a time."""

    async def do_some(self) -> int:
        """Do a batch in one short transaction; return how many rows it touched, 0 at the end.

        Raises:
            StoreUnreachable: the database does not answer.
        """
        ...


class Housekeeping:
    """Does one job for the whole installation: one worker at a time, a batch, a pause, a batch.

    Args:
        name: of the duty that the job is.
        every_s: how long to rest when nothing is left to do.
    """

    PAUSE_S = 0.05
    TERM_S = 60.0

    def __init__(
        self,
        name: str,
        job: PeriodicJob,
        *,
        every_s: float,
        leader_lease: LeaderLease,
        worker: str,
        observe: Observe,
    ) -> None:
        self.name = name
        self._job = job
        self._every_s = every_s
        self._leader_lease = leader_lease
        self._worker = worker
        self._observe = observe
        self.stumbles = Stumbles(name, observe)

    async def run(self) -> None:
        """Keep house until cancelled."""
        while True:
            try:
                await self.turn()
            except (StoreUnreachable, DataRefused) as error:
                await asyncio.sleep(self.stumbles.stumbled(error))
            else:
                self.stumbles.went_well()
                await asyncio.sleep(self._every_s)

    async def turn(self) -> None:
        """Do the job to its end, as long as the leader lease is ours."""
        touched = 0
        try:
            while await self._leader_lease.hold(self.name, self._worker, self.TERM_S):
                some = await self._job.do_some()
                touched += some
                if not some:
                    return
                await asyncio.sleep(self.PAUSE_S)
        finally:
            if touched:
                self._observe(PeriodicJobDone(self.name, touched))
