"""Who holds the worker's slots: one compartment for each platform, so that none sinks the ship."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from disconnect_fanout.domain.outcome import Exchange, Failure, Shortage
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.flow.fact import BreakerTurned, Observe
from disconnect_fanout.flow.wakeups import Wakeups
from disconnect_fanout.policy import breaker as breakers
from disconnect_fanout.policy.admission import Pressure, opens_at, room, to_keep
from disconnect_fanout.policy.breaker import Breaker
from disconnect_fanout.policy.classify import held_a_slot
from disconnect_fanout.policy.rate import spend

Heard: TypeAlias = Callable[[str, Exchange], None]

REST_S = 1.0
"""How long nothing new starts after a request could not be made for our own want."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to one slot, to be released exactly once.

    Attributes:
        probe: whether it was given while the breaker was open.
        era: of the platform; what comes of a request of an earlier one says nothing about it.
    """

    platform_id: str
    probe: bool
    era: int = 0


@dataclass(slots=True)
class _Compartment:
    in_flight: int = 0
    breaker: Breaker = field(default_factory=Breaker)
    rate_due: float = 0.0
    era: int = 0
    rests_until: float = 0.0
    kept: int = 0
    newcomer_at: float = -math.inf


class Bulkheads:
    """Counts slots in flight and keeps the breakers. State of one worker, in memory.

    Args:
        slots: requests at once over all platforms.
        cap: requests at once to one platform that has no cap of its own.
        clock: seconds, monotonic.
        wakeups: hears of platforms that are refused a slot, and of slots that come free.
        heard: takes the platform that was asked, and what came of it.
    """

    def __init__(
        self,
        slots: int,
        cap: int,
        *,
        clock: Callable[[], float],
        wakeups: Wakeups,
        heard: Heard,
        observe: Observe,
    ) -> None:
        self._free = slots
        self._kept = 0
        self._cap = cap
        self._clock = clock
        self._wakeups = wakeups
        self._heard = heard
        self._observe = observe
        self._compartments: dict[str, _Compartment] = {}
        self._rests_until = 0.0

    def admit(self, platform: Platform, *, waited: bool = False) -> Ticket | None:
        """Give a slot, or None: the delivery then waits as a row, and that is no attempt.

        Args:
            platform: to which a request would go.
            waited: it is for a row that was claimed, and no newcomer.
        """
        mine = self._compartment(platform.id)
        if not waited:
            mine.newcomer_at = self._clock()
        if self.room(platform) < 1:
            self._wakeups.refused(platform.id)
            return None
        probe = not mine.breaker.closed
        mine.breaker = breakers.started(mine.breaker)
        mine.in_flight += 1
        self._free -= 1
        if platform.rate_per_s is not None:
            mine.rate_due = spend(platform.rate_per_s, mine.rate_due, self._clock())
        return Ticket(platform.id, probe, mine.era)

    def release(self, ticket: Ticket, exchange: Exchange | None) -> None:
        """Take a slot back.

        Args:
            ticket: from ``admit``.
            exchange: what the request came to; None if it was not made or says nothing.
        """
        mine = self._compartment(ticket.platform_id)
        mine.in_flight -= 1
        self._free += 1
        if ticket.era == mine.era:
            self._learn(mine, ticket, exchange)
        self._wakeups.slot_freed(ticket.platform_id)

    @contextmanager
    def keeping(self, platform_id: str, slots: int) -> Iterator[None]:
        """Give so much of the platform's room to nobody within this block.

        Who leaves it and admits in the same breath finds the room there.
        """
        mine = self._compartment(platform_id)
        mine.kept += slots
        self._kept += slots
        try:
            yield
        finally:
            mine.kept -= slots
            self._kept -= slots

    def rest(self, platform_id: str, shortage: Shortage) -> None:
        """Let nothing new start for a moment: what is wanting now would be wanting again.

        Local ports are wanting towards one platform only; the others need not wait for that.
        """
        until = self._clock() + REST_S
        if shortage is Shortage.PORTS:
            self._compartment(platform_id).rests_until = until
        else:
            self._rests_until = until

    def forget(self, platform_id: str) -> None:
        """Know nothing of a platform any more: it is gone, or another is reached by its id.

        What it has in flight still counts against its cap, and then says nothing.
        """
        mine = self._compartment(platform_id)
        mine.era += 1
        mine.breaker = Breaker()
        mine.rate_due = 0.0
        if not mine.in_flight and not mine.kept:
            del self._compartments[platform_id]

    def room(self, platform: Platform) -> int:
        """Return how many deliveries to this platform could be given slots now."""
        if platform.paused or not platform.keys:
            return 0
        return room(self._pressure(platform), self._clock())

    def share(self, platform: Platform) -> int:
        """Return how many rows that wait may be claimed now."""
        if self.room(platform) < 1:
            return 0
        return to_keep(self._pressure(platform), self._clock())

    def opens_in(self, platform: Platform) -> float | None:
        """Return the seconds until time alone makes room, None if only a freed slot can."""
        at = opens_at(self._pressure(platform))
        return None if at is None else max(at - self._clock(), 0.0)

    def in_flight(self, platform_id: str) -> int:
        """Return the number of requests under way to this platform."""
        return self._compartment(platform_id).in_flight

    @property
    def open_breakers(self) -> frozenset[str]:
        """Ids of the platforms whose breakers are open."""
        found = self._compartments.items()
        return frozenset(one for one, mine in found if not mine.breaker.closed)

    def _learn(self, mine: _Compartment, ticket: Ticket, exchange: Exchange | None) -> None:
        was_closed = mine.breaker.closed
        mine.breaker = self._after(mine.breaker, ticket, exchange)
        if was_closed is not mine.breaker.closed:
            self._observe(BreakerTurned(ticket.platform_id, opened=was_closed))
        if exchange is not None:
            self._heard(ticket.platform_id, exchange)

    def _after(self, before: Breaker, ticket: Ticket, exchange: Exchange | None) -> Breaker:
        if exchange is None:
            return breakers.abandoned(before, probe=ticket.probe)
        if held_a_slot(exchange):
            return breakers.failed(before, self._clock(), probe=ticket.probe)
        if isinstance(exchange, Failure):
            return breakers.abandoned(before, probe=ticket.probe)
        return breakers.answered(before)

    def _compartment(self, platform_id: str) -> _Compartment:
        return self._compartments.setdefault(platform_id, _Compartment())

    def _pressure(self, platform: Platform) -> Pressure:
        mine = self._compartment(platform.id)
        return Pressure(
            in_flight=mine.in_flight,
            cap=platform.max_in_flight or self._cap,
            free_slots=self._free - (self._kept - mine.kept),
            breaker=mine.breaker,
            rate_per_s=platform.rate_per_s,
            rate_due=mine.rate_due,
            rests_until=max(self._rests_until, mine.rests_until),
            kept=mine.kept,
            newcomer_at=mine.newcomer_at,
        )
