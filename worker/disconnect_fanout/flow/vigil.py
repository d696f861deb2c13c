"""Keeping the vigil: looks at the consumer from outside, and ends when there is no hope for it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from disconnect_fanout.flow.fact import ConsumptionSilent, Observe
from disconnect_fanout.flow.outage import BrokerUnreachable
from disconnect_fanout.policy.vigil import PATIENCE_S, Sight, Vigil, hopeless, looked

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


class Watchman:
    """Looks every few seconds.

    Args:
        clock: seconds, monotonic.
        database_away: whether what was taken may wait for the database.
        period_s: between two looks.
        patience_s: how long a silence may last.
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
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._consumption = consumption
        self._queue = queue
        self._clock = clock
        self._database_away = database_away
        self._observe = observe
        self._period_s = period_s
        self._patience_s = patience_s
        self._vigil = Vigil()

    @property
    def problem(self) -> str | None:
        """What keeps events from being taken, in plain words."""
        return self._vigil.problem

    async def run(self) -> None:
        """Look until cancelled, or until there is no hope."""
        while not hopeless(self._vigil, self._clock(), self._patience_s):
            await asyncio.sleep(self._period_s)
            await self.look()

    async def look(self) -> None:
        """Look once, and tell of a silence that begins, ends, or has lasted for too long."""
        before, sight = self._vigil, await self._sight()
        self._vigil = looked(before, sight, self._clock())
        given_up = hopeless(self._vigil, self._clock(), self._patience_s)
        if self._vigil.problem != before.problem or given_up:
            self._observe(ConsumptionSilent(self._vigil.problem, given_up=given_up))

    async def _sight(self) -> Sight:
        ready: int | None = None
        with suppress(BrokerUnreachable):
            ready = await self._queue.depth()
        consumption = self._consumption
        wanted = consumption.wanted and not self._database_away()
        return Sight(wanted, consumption.attached, consumption.taken, ready)
