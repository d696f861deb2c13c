"""What lies between one worker and everything else: delays, lost answers, outages."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from tests.harness.fakes.broker import FakeWire, Fate

if TYPE_CHECKING:
    from disconnect_fanout.domain.outcome import Shortage


class Spells:
    """Stretches of time in which something was wrong, remembered to be held against nobody."""

    def __init__(self) -> None:
        self.over: list[tuple[float, float]] = []
        self._since: float | None = None

    def set(self, now: float, *, wrong: bool) -> None:
        """Begin or end one."""
        if wrong and self._since is None:
            self._since = now
        elif not wrong and self._since is not None:
            self.over.append((self._since, now))
            self._since = None

    def within(self, start: float, end: float) -> float:
        """Return for how many seconds of a stretch something was wrong."""
        spells = [*self.over, *([(self._since, end)] if self._since is not None else [])]
        return sum(max(min(end, b) - max(start, a), 0.0) for a, b in spells)


class Weather(FakeWire):
    """One worker's.

    Attributes:
        database_up: whether its database can be reached.
        database_share: of calls that fail, half of them after they were done.
        broker_share: of publishes that are not confirmed.
        shortage: what its machine has nothing left of, so that no request can be made.
    """

    def __init__(self, chance: Random, clock: Callable[[], float]) -> None:
        self.up = True
        self.database_up = True
        self.database_share = 0.0
        self.broker_share = 0.0
        self.shortage: Shortage | None = None
        self.frozen = Spells()
        self.without_database = Spells()
        self.on_done: Callable[[str], None] = lambda _what: None
        """Told of each effect that the worker had on the world; may kill or freeze it."""
        self._chance = chance
        self._clock = clock

    async def travel(self) -> None:
        """Take a moment; which of two who travel at once comes first is a matter of chance."""
        luck = self._chance.random()
        if luck < 0.6:
            await asyncio.sleep(0)
        elif luck < 0.98:
            await asyncio.sleep(luck * 0.02)
        else:
            await asyncio.sleep(luck * 0.25)

    def fate(self) -> Fate:
        """Return what becomes of a publish."""
        if self._chance.random() >= self.broker_share:
            return Fate.CONFIRMED
        return self._chance.choice((Fate.LOST, Fate.UNCONFIRMED, Fate.LATE))

    def done(self, what: str) -> None:
        """Be told of an effect."""
        self.on_done(what)

    def refuses(self) -> bool:
        """Tell whether the database fails this call: as one of two, before or after it is done."""
        return self.database_share > 0 and self._chance.random() < self.database_share / 2

    @property
    def constrained(self) -> bool:
        """Whether this outage is one for events alone: a constraint that none of them meets."""
        return not self.database_up and len(self.without_database.over) % 2 == 0

    def judge_database(self) -> None:
        """Remember whether the database is to be relied on from now on."""
        wrong = not self.database_up or self.database_share > 0
        self.without_database.set(self._clock(), wrong=wrong)
