"""The store in memory, behind the contract suite's back door."""

from collections.abc import Sequence
from functools import partial

from tests.harness.fakes.housekeeping import FakeBalance, FakeRetention
from tests.harness.fakes.link_store import FakeLinkStore
from tests.harness.fakes.operator_store import FakeDeadLetterStore, FakeLeaderLease, FakeReplayStore
from tests.harness.fakes.store import FakeDueStore, FakeEventStore, FakeLedger, FakePlatformSource
from tests.harness.fakes.tables import FakeTables
from tests.harness.store.world import Ports

from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.platform import Platform, Scheme, SigningKey
from disconnect_fanout.flow.fact import Fact
from disconnect_fanout.policy.delivery_row import DeliveryRow

TIMEOUT_S = 30.0


class FakeWorld:
    """``World`` in memory."""

    def __init__(self) -> None:
        self.tables = FakeTables()
        self.facts = list[Fact]()
        self.worker = self._ports()

    async def another_worker(self) -> Ports:
        return self._ports()

    async def add_platform(
        self, platform_id: str, *, enabled: bool = True, timeout_s: float | None = None
    ) -> None:
        self.tables.platforms[platform_id] = Platform(
            id=platform_id,
            name=platform_id.title(),
            url=f"https://{platform_id}.example.com/hook",
            scheme=Scheme.STANDARD,
            keys=(SigningKey(bytes, bytes),),
            revision=1,
            timeout_s=min(timeout_s or TIMEOUT_S, TIMEOUT_S),
            enabled=enabled,
        )

    async def add_links(self, *links: Link) -> None:
        self.tables.links.extend(links)

    async def pass_time(self, seconds: float) -> None:
        self.tables.pass_time(seconds)

    async def row(self, delivery_id: str) -> DeliveryRow:
        return self.tables.row(delivery_id)

    async def timeline(self, delivery_id: str) -> Sequence[Attempt]:
        made = sorted(self.tables.attempts.items())
        return [attempt for (name, _), attempt in made if name == delivery_id]

    async def copies(self, event_id: str) -> int:
        return self.tables.events[event_id].copies

    async def near_misses(self, event_id: str) -> int:
        return self.tables.events[event_id].near_misses

    async def close(self) -> None:
        pass

    def _ports(self) -> Ports:
        return Ports(
            events=FakeEventStore(self.tables),
            links=FakeLinkStore(self.tables),
            ledger=FakeLedger(self.tables, self.facts.append),
            due=FakeDueStore(self.tables),
            platforms=FakePlatformSource(self.tables),
            letters=FakeDeadLetterStore(self.tables),
            replays=FakeReplayStore(self.tables),
            jobs=FakeReplayStore(self.tables),
            leader_lease=FakeLeaderLease(self.tables),
            balance=FakeBalance(self.tables),
            retention=partial(FakeRetention, self.tables),
        )
