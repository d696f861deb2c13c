"""The watchdog: looks at the consumer from outside, and ends when there is no hope for it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from disconnect_fanout.flow.fact import ConsumptionSilent, Observe
from disconnect_fanout.flow.outage import BrokerUnreachable
from disconnect_fanout.policy.faults.silence import (
    LONGEST_SILENCE_S,
    Sample,
    Silence,
    hopeless,
    looked,
)

PERIOD_S = 10.0


class Consumption(Protocol):
    """Who takes events."""

    @property
    def wanted(self) -> bool:
        """There is a reason to consume."""
        ...

    @property
    def attached(self) -> bool:
        """The broker sends messages."""
        ...

    @property
    def taken(self) -> int:
        """How many messages have come."""
        ...


class EventQueue(Protocol):
    """Where events wait, seen by another connection than the consumer's."""

    async def depth(self) -> int:
        """Return how many messages are ready.

        Raises:
            BrokerUnreachable: nothing can be said.
        """
        ...


class ConsumerWatchdog:
    """Looks every few seconds.

    Args:
        clock: seconds, monotonic.
        database_away: whether what was taken may wait for the database.
        period_s: between two looks.
        longest_s: how long a silence may last.
    """

    def __init__(
        self,
        consumption: Consumption,
        queue: EventQueue,
        *,
        clock: Callable[[], float],
        database_away: Callable[[], bool],
        observe: Observe,
        period_s: float = PERIOD_S,
        longest_s: float = LONGEST_SILENCE_S,
    ) -> None:
        self._consumption = consumption
        self._queue = queue
        self._clock = clock
        self._database_away = database_away
        self._observe = observe
        self._period_s = period_s
        self._longest_s = longest_s
        self._silence = Silence()

    @property
    def problem(self) -> str | None:
        """What keeps events from being taken, in plain words."""
        return self._silence.problem

    async def run(self) -> None:
        """Look until cancelled, or until there is no hope."""
        while not hopeless(self._silence, self._clock(), self._longest_s):
            await asyncio.sleep(self._period_s)
            await self.look()

    async def look(self) -> None:
        """Look once, and tell of a silence that begins, ends, or has lasted for too long."""
        before, sight = self._silence, await self._sample()
        self._silence = looked(before, sight, self._clock())
        given_up = hopeless(self._silence, self._clock(), self._longest_s)
        if self._silence.problem != before.problem or given_up:
            self._observe(ConsumptionSilent(self._silence.problem, given_up=given_up))

    async def _sample(self) -> Sample:
        ready: int | None = None
        with suppress(BrokerUnreachable):
            ready = await self._queue.depth()
        consumption = self._consumption
        wanted = consumption.wanted and not self._database_away()
        return Sample(wanted, consumption.attached, consumption.taken, ready)
