"""The store as one worker reaches it: the fakes of the contract suite behind a bad line.

What the adapters do about a bad line is done here as they do it: look-ups and registrations are
tried for a while, under one token; commits for as long as it takes; everything else fails at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from itertools import count
from typing import TypeVar

from tests.harness.fakes.operator_store import FakeDeadLetterStore, FakeLeaderLease, FakeReplayStore
from tests.harness.fakes.store import FakeDueStore, FakeEventStore, FakeLedger, FakePlatformSource
from tests.simulation.process import Process
from tests.simulation.tables import SimulatedTables
from tests.simulation.weather import Weather

from disconnect_fanout.domain.dead_letter import DeadLetter
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.flow.due import Claim, Expedited
from disconnect_fanout.flow.intent import Intent, Registration
from disconnect_fanout.flow.outage import DataRefused, StoreRefuses, StoreUnreachable
from disconnect_fanout.policy.change import Change

Answer = TypeVar("Answer")
HOLD_S = 8.0
"""How long a registration waits for the end of an outage (60 s in the adapters)."""
_AGAIN_S = 0.2
LOOK = "look"
"""Of what is asked all the time the answer takes no time: the next call takes enough."""


class Line:
    """One worker's connection."""

    def __init__(self, process: Process, weather: Weather, tables: SimulatedTables) -> None:
        self.outages = 0
        self.process = process
        self._weather = weather
        self._tables = tables
        self._crashes = tables.crashes

    async def ask(self, what: str, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Make one call.

        Raises:
            StoreUnreachable: it was done or not.
            DataRefused: it was not; somebody's constraint refuses every event.
        """
        await self._weather.travel()
        if what == "register" and self._weather.constrained:
            self.outages += 1
            raise DataRefused("every event is refused", "23514")
        self._check(what)
        if self._weather.refuses():
            self._fail()
        self._tables.user = self.process.name
        answer = await call()  # the fakes do it all at once
        if what == LOOK:
            return answer
        self._weather.done(what)
        await self._weather.travel()
        self._check(what)
        if self._weather.refuses():
            self._fail()
        return answer

    def _check(self, what: str) -> None:
        reads = what == "read" and self._weather.constrained
        away = not self._weather.database_up and not reads
        if self._crashes != self._tables.crashes or away:
            self._crashes = self._tables.crashes
            self._fail()

    def _fail(self) -> None:
        self.outages += 1
        if self.outages % 2:
            raise StoreRefuses("no answer but a refusal")
        raise StoreUnreachable("no answer")


class LinedEvents:
    """``flow.resolver.EventStore``."""

    def __init__(self, line: Line, tables: SimulatedTables) -> None:
        self._line = line
        self._tables = tables
        self._store = FakeEventStore(tables)

    @property
    def outages(self) -> int:
        return self._line.outages

    async def links(self, events: Sequence[DisconnectEvent]) -> Sequence[Sequence[Link]]:
        return await self._patiently("read", lambda: self._store.links(events))

    async def register(self, intents: Sequence[Intent]) -> Sequence[Registration]:
        writer, tries = self._tables.new_token(), count()

        async def once() -> Sequence[Registration]:
            return self._write(intents, writer, again=next(tries) > 0)

        return await self._patiently("register", once)

    async def probe(self) -> None:
        await self._line.ask(LOOK, self._store.probe)

    def _write(
        self, intents: Sequence[Intent], writer: str, *, again: bool
    ) -> Sequence[Registration]:
        return self._store.write(intents, writer, again=again)

    async def _patiently(self, what: str, call: Callable[[], Awaitable[Answer]]) -> Answer:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + HOLD_S
        while True:
            try:
                return await self._line.ask(what, call)
            except StoreUnreachable:
                if loop.time() >= give_up_at:
                    raise
            await asyncio.sleep(_AGAIN_S)


class LinedLedger:
    """``flow.recorder.Ledger``."""

    def __init__(self, line: Line, tables: SimulatedTables) -> None:
        self._line = line
        self._tables = tables
        self._ledger = FakeLedger(tables, lambda _fact: None)

    async def commit(self, changes: Sequence[Change]) -> Collection[Change]:
        async def once() -> Collection[Change]:
            fenced = await self._ledger.commit(changes)
            self._tables.on_commit(self._line.process.name, changes)
            return fenced

        while True:
            try:
                return await self._line.ask("commit", once)
            except StoreUnreachable:
                await asyncio.sleep(_AGAIN_S)


class LinedDue:
    """``flow.due.DueStore``."""

    def __init__(self, line: Line, tables: SimulatedTables) -> None:
        self._line = line
        self._store = FakeDueStore(tables)
        self._unheard: list[Claim] = []

    async def due_platforms(self, platform_ids: Collection[str]) -> Collection[str]:
        async def look() -> Collection[str]:
            self._store.give_back(self._unheard)
            self._unheard.clear()
            return await self._store.due_platforms(platform_ids)

        return await self._line.ask(LOOK, look)

    async def claim(
        self,
        platform_id: str,
        *,
        limit: int,
        lease_s: float,
        holding: Collection[str],
        reclaim: bool,
    ) -> Sequence[Claim]:
        claims: list[Claim] = []

        async def once() -> Sequence[Claim]:
            claims.extend(
                await self._store.claim(
                    platform_id, limit=limit, lease_s=lease_s, holding=holding, reclaim=reclaim
                )
            )
            return claims

        try:
            return await self._line.ask("claim", once)
        except StoreUnreachable:
            self._unheard += claims
            raise

    async def expedite(self, platform_id: str, limit: int) -> Expedited:
        return await self._line.ask("expedite", lambda: self._store.expedite(platform_id, limit))


class LinedPlatforms:
    """``flow.directory.PlatformSource``."""

    def __init__(self, line: Line, tables: SimulatedTables) -> None:
        self._line = line
        self._store = FakePlatformSource(tables)

    async def platforms(self) -> Sequence[Platform]:
        return await self._line.ask(LOOK, self._store.platforms)


class LinedLetters:
    """``flow.letters.DeadLetterStore``."""

    def __init__(self, line: Line, tables: SimulatedTables) -> None:
        self._line = line
        self._store = FakeDeadLetterStore(tables)

    async def decided(self, delivery_ids: Collection[str]) -> Sequence[DeadLetter]:
        return await self._line.ask("read", lambda: self._store.decided(delivery_ids))

    async def overdue(self, older_than_s: float, limit: int) -> Sequence[DeadLetter]:
        return await self._line.ask(LOOK, lambda: self._store.overdue(older_than_s, limit))

    async def standing(self, keys: Collection[str]) -> Mapping[str, int]:
        return await self._line.ask("purge", lambda: self._store.standing(keys))

    async def dead(self, after: str, limit: int) -> Sequence[DeadLetter]:
        return await self._line.ask("purge", lambda: self._store.dead(after, limit))

    async def count_dead(self) -> Mapping[str, int]:
        return await self._line.ask(LOOK, self._store.count_dead)

    async def dead_letter_undeliverable(self) -> int:
        return await self._line.ask("condemn", self._store.dead_letter_undeliverable)


class LinedReplays:
    """``flow.replayer.ReplayStore``."""

    def __init__(self, line: Line, tables: SimulatedTables) -> None:
        self._line = line
        self._store = FakeReplayStore(tables)

    async def advance(self, horizon_s: float) -> int:
        return await self._line.ask("advance", lambda: self._store.advance(horizon_s))


class LinedLeaderLease:
    """``flow.sweeper.LeaderLease``."""

    def __init__(self, line: Line, tables: SimulatedTables) -> None:
        self._line = line
        self._leader_lease = FakeLeaderLease(tables)

    async def hold(self, name: str, holder: str, for_s: float) -> bool:
        return await self._line.ask("duty", lambda: self._leader_lease.hold(name, holder, for_s))
