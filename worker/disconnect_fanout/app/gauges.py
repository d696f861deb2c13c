"""What is counted every now and then: dead letters, what waits, open breakers."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from disconnect_fanout.flow.bulkheads import Bulkheads
from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.flow.letters import DeadLetterStore
from disconnect_fanout.telemetry.metrics import Metrics

PERIOD_S = 3.0
_SHARE = 50
"""Counting takes a fiftieth of the time at most: a million rows are counted for a while."""


class WaitingSource(Protocol):
    """Where waiting deliveries are counted."""

    async def count(self) -> Mapping[str, int]:
        """Return how many deliveries wait, by platform."""
        ...


class BreakerReport(Protocol):
    """Where operators look for open breakers."""

    async def report(self, platform_ids: Collection[str]) -> None:
        """Say which are open in this worker."""
        ...


class Gauges:
    """Counts, and shows what was counted.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        *,
        letters: DeadLetterStore,
        waiting: WaitingSource,
        breakers: BreakerReport,
        bulkheads: Bulkheads,
        directory: Directory,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._letters = letters
        self._waiting = waiting
        self._breakers = breakers
        self._bulkheads = bulkheads
        self._directory = directory
        self._metrics = metrics
        self._clock = clock
        self._due = 0.0

    async def look(self) -> None:
        """Show which breakers are open; count, unless that was done just now.

        Raises:
            StoreUnreachable: nothing could be counted.
        """
        platforms = self._directory.platforms
        self._metrics.show_breakers(self._bulkheads.open_breakers, platforms)
        began = self._clock()
        if began < self._due:
            return
        await self._breakers.report(self._bulkheads.open_breakers)
        known = platforms.__contains__
        self._metrics.show_dead(await self._letters.count_dead(), known)
        self._metrics.show_waiting(await self._waiting.count(), known)
        took = self._clock() - began
        self._due = began + max(PERIOD_S, _SHARE * took)
