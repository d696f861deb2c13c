"""The balance, counted every now and then: a metric that must be zero."""

import asyncio
from typing import Protocol

from disconnect_fanout.flow.fact import Observe
from disconnect_fanout.flow.outage import DataRefused, StoreUnreachable
from disconnect_fanout.flow.supervision.stumbles import Stumbles
from disconnect_fanout.flow.sweeper import LeaderLease
from disconnect_fanout.telemetry.metrics import Metrics

_DUTY = "balance"


class BalanceSource(Protocol):
    """Where events and deliveries are counted."""

    async def difference(self) -> int:
        """Return how many recipients were resolved, less the deliveries that there are."""
        ...


class BalanceMonitor:
    """Counts for the whole installation: one worker at a time, for it reads an index to its end."""

    PERIOD_S = 15.0
    name = _DUTY
    TERM_S = 40.0

    def __init__(
        self,
        source: BalanceSource,
        *,
        leader_lease: LeaderLease,
        worker: str,
        metrics: Metrics,
        observe: Observe,
    ) -> None:
        self._source = source
        self._leader_lease = leader_lease
        self._worker = worker
        self._metrics = metrics
        self.stumbles = Stumbles(_DUTY, observe)

    async def run(self) -> None:
        """Count until cancelled."""
        while True:
            try:
                await self.look()
            except (StoreUnreachable, DataRefused) as error:
                await asyncio.sleep(self.stumbles.stumbled(error))
            else:
                self.stumbles.went_well()
                await asyncio.sleep(self.PERIOD_S)

    async def look(self) -> None:
        """Count once, if this worker holds the leader lease."""
        mine = await self._leader_lease.hold(_DUTY, self._worker, self.TERM_S)
        self._metrics.show_balance(await self._source.difference() if mine else 0)
