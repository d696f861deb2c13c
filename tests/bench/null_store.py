"""A store that remembers nothing: what a worker costs when recording is free."""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from tests.harness.fakes.link_store import FakeLinkStore
from tests.harness.fakes.tables import FakeTables

from disconnect_fanout.app.stores import Stores
from disconnect_fanout.domain.dead_letter import DeadLetter
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.flow.database_health import DatabaseHealth
from disconnect_fanout.flow.directory import PlatformSource
from disconnect_fanout.flow.due import Claim, Expedited
from disconnect_fanout.flow.intent import Intent, Registration
from disconnect_fanout.flow.relay import Promise
from disconnect_fanout.policy.change import Change

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class NullEvents:
    """Every user is linked to every platform, and every event is new."""

    outages = 0

    def __init__(self, platform_ids: Sequence[str]) -> None:
        self._platform_ids = platform_ids

    async def links(self, events: Sequence[DisconnectEvent]) -> Sequence[Sequence[Link]]:
        return [
            [Link(event.user.mailbox, one, _LONG_AGO) for one in self._platform_ids]
            for event in events
        ]

    async def register(self, intents: Sequence[Intent]) -> Sequence[Registration]:
        return [Registration.NEW] * len(intents)

    async def probe(self) -> None:
        pass


class NullLedger:
    """Every change is on disk at once."""

    async def commit(self, changes: Sequence[Change]) -> Collection[Change]:
        return ()


class NullDue:
    """Nothing waits."""

    async def due_platforms(self, platform_ids: Collection[str]) -> Collection[str]:
        return ()

    async def claim(
        self,
        platform_id: str,
        *,
        limit: int,
        lease_s: float,
        holding: Collection[str],
        reclaim: bool,
    ) -> Sequence[Claim]:
        return ()

    async def expedite(self, platform_id: str, limit: int) -> Expedited:
        return Expedited(0)


class NullLetters:
    """Nothing is dead."""

    async def decided(self, delivery_ids: Collection[str]) -> Sequence[DeadLetter]:
        return ()

    async def overdue(self, older_than_s: float, limit: int) -> Sequence[DeadLetter]:
        return ()

    async def standing(self, keys: Collection[str]) -> Mapping[str, int]:
        return {}

    async def dead(self, after: str, limit: int) -> Sequence[DeadLetter]:
        return ()

    async def count_dead(self) -> Mapping[str, int]:
        return {}

    async def dead_letter_undeliverable(self) -> int:
        return 0


class NullDuties:
    """Nobody has to do anything beside the work."""

    async def hold(self, name: str, holder: str, for_s: float) -> bool:
        return False

    async def advance(self, horizon_s: float) -> int:
        return 0

    async def do_some(self) -> int:
        return 0

    async def difference(self) -> int:
        return 0

    async def count(self) -> Mapping[str, int]:
        return {}

    async def report(self, platform_ids: Collection[str]) -> None:
        pass


class NullOutbox:
    """Nothing was promised."""

    async def take(self, limit: int, for_s: float) -> Sequence[Promise]:
        return ()

    async def set_aside(self, problems: Mapping[int, str]) -> None: ...

    async def give_back(self, numbers: Sequence[int]) -> None: ...

    async def kept(self, numbers: Sequence[int]) -> None: ...


class FixedPlatforms:
    """The platforms as they were at the start."""

    def __init__(self, platforms: Sequence[Platform]) -> None:
        self._platforms = platforms

    async def platforms(self) -> Sequence[Platform]:
        return self._platforms


async def _no_keys() -> None: ...


async def null_stores(source: PlatformSource) -> Stores:
    """Return stores that know the platforms of ``source`` and nothing else."""
    platforms = await source.platforms()
    idle = NullDuties()
    return Stores(
        health=DatabaseHealth(time.monotonic),
        look_for_keys=_no_keys,
        platforms=FixedPlatforms(platforms),
        events=NullEvents([one.id for one in platforms]),
        links=FakeLinkStore(FakeTables()),
        ledger=NullLedger(),
        due=NullDue(),
        letters=NullLetters(),
        replays=idle,
        leader_lease=idle,
        balance=idle,
        retention=idle,
        plaintext_links=idle,
        plaintext_answers=idle,
        older_rows=idle,
        unreadable_events=idle,
        waiting=idle,
        outbox=NullOutbox(),
        answers=idle,
        breakers=lambda _worker: idle,
    )
