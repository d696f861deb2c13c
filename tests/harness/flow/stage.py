"""The whole flow on fakes, in virtual time: what `app.parts` does with real adapters."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from tests.harness.fakes.operator_store import FakeDeadLetterStore, FakeLeaderLease, FakeReplayStore
from tests.harness.fakes.store import FakeDueStore, FakeEventStore, FakeLedger, FakePlatformSource
from tests.harness.fakes.tables import FakeTables

from disconnect_fanout.domain.dead_letter import DeadLetter
from disconnect_fanout.domain.event import DisconnectEvent, Provider, Reason, User
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.outcome import Answer, Exchange, Unable
from disconnect_fanout.domain.platform import Platform, Scheme, SigningKey
from disconnect_fanout.domain.rejection import Rejection
from disconnect_fanout.flow.bulkheads import Bulkheads
from disconnect_fanout.flow.database_health import DatabaseHealth
from disconnect_fanout.flow.deliver import Clocks
from disconnect_fanout.flow.fact import Fact, Observe
from disconnect_fanout.flow.incoming import Incoming
from disconnect_fanout.flow.letters import LetterKey
from disconnect_fanout.flow.outage import BrokerUnreachable
from disconnect_fanout.flow.relay import Promise
from disconnect_fanout.flow.wakeups import Wakeups
from disconnect_fanout.flow.webhook import WebhookRequest
from disconnect_fanout.flow.wiring import Flow, Limits, Ports
from disconnect_fanout.policy.decide import RetryPolicy

EPOCH_MS = 1_763_740_000_000
AT = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)
GRACE = timedelta(seconds=2)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class LoopTables(FakeTables):
    """Tables whose clock is the loop's."""

    @property
    def now_ms(self) -> int:
        return EPOCH_MS + round(asyncio.get_running_loop().time() * 1000)

    @now_ms.setter
    def now_ms(self, _value: int) -> None:
        pass


@dataclass(slots=True, eq=False)
class FakeMessage:
    """One delivery of one event by the broker."""

    event: DisconnectEvent | Rejection
    arrived_at: float = 0.0
    acked: bool = False
    body: bytes = b""
    content_type: str | None = None
    content_encoding: str | None = None
    kind: str | None = None
    message_id: str | None = None
    headers: Mapping[str, object] = field(default_factory=dict)

    async def ack(self) -> None:
        self.acked = True


class FakeRejectBox:
    """Remembers rejections; ``reachable = False`` is a broker that does not confirm."""

    def __init__(self) -> None:
        self.reachable = True
        self.rejected: list[Rejection] = []

    async def put(self, _message: Incoming, rejection: Rejection) -> None:
        if not self.reachable:
            raise BrokerUnreachable("the fake broker is switched off")
        self.rejected.append(rejection)


class FakeLetterQueue:
    """The dead-letter queue in memory; a stranger's message is a None."""

    def __init__(self) -> None:
        self.reachable = True
        self.answers_after_s = 0.0
        self.letters: list[LetterKey | None] = []

    async def publish(self, letter: DeadLetter) -> None:
        if not self.reachable:
            raise BrokerUnreachable("the fake broker is switched off")
        self.letters.append(LetterKey(letter.delivery_id, letter.replays))

    async def depth(self) -> int:
        await asyncio.sleep(self.answers_after_s)
        return len(self.letters)

    async def purge(
        self, select_stale: Callable[[Sequence[LetterKey | None]], Awaitable[Collection[int]]]
    ) -> None:
        stale = set(await select_stale(list(self.letters)))
        self.letters = [one for index, one in enumerate(self.letters) if index not in stale]


class FakePlatforms:
    """All receiving platforms: answers by script, and remembers who was asked what when."""

    def __init__(self) -> None:
        self.requests: list[WebhookRequest] = []
        self.at: list[float] = []
        self.script: Callable[[WebhookRequest], Exchange | Unable | Awaitable[Exchange]] = (
            lambda _: Answer(200)
        )
        self.took_s = 0.01

    async def send(self, request: WebhookRequest) -> Exchange | Unable:
        self.requests.append(request)
        self.at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.took_s)
        answer = self.script(request)
        return answer if not isinstance(answer, Awaitable) else await answer

    def heard(self, platform_id: str) -> list[str]:
        """Return the webhook-ids that reached a platform, in order."""
        return [
            one.headers["webhook-id"] for one in self.requests if one.platform_id == platform_id
        ]


class EmptyOutbox:
    """Nothing is promised."""

    async def take(self, limit: int, for_s: float) -> Sequence[Promise]:  # noqa: ARG002
        return ()

    async def set_aside(self, problems: Mapping[int, str]) -> None:
        raise AssertionError(problems)

    async def give_back(self, numbers: Sequence[int]) -> None:
        raise AssertionError(numbers)

    async def kept(self, numbers: Sequence[int]) -> None:
        raise AssertionError(numbers)


async def publish_nothing(event: DisconnectEvent) -> None:
    raise AssertionError(event.id)


class Nobody:
    """Consumes nothing: the test hands events over itself."""

    wanted = False
    attached = False
    taken = 0


@dataclass(slots=True)
class Outside:
    """What outlives a worker: the database, the broker, the platforms."""

    tables: LoopTables = field(default_factory=LoopTables)
    rejects: FakeRejectBox = field(default_factory=FakeRejectBox)
    queue: FakeLetterQueue = field(default_factory=FakeLetterQueue)
    platforms: FakePlatforms = field(default_factory=FakePlatforms)

    def register(self, *platform_ids: str, **changes: object) -> None:
        """Register platforms."""
        for one in platform_ids:
            platform = Platform(
                id=one,
                name=one,
                url=f"https://{one}.example/hook",
                scheme=Scheme.STANDARD,
                keys=(SigningKey(bytes, bytes),),
                revision=1,
                timeout_s=30.0,
            )
            self.tables.platforms[one] = replace(platform, **changes)  # type: ignore[arg-type]

    def link(self, email: str, *platform_ids: str) -> None:
        """Link a user, since long ago."""
        self.tables.links.extend(Link(email, one, LONG_AGO) for one in platform_ids)

    def states(self) -> dict[str, int]:
        """Count deliveries by state."""
        found: dict[str, int] = {}
        for row in self.tables.rows():
            found[row.state] = found.get(row.state, 0) + 1
        return found


class FlowStage(Flow[Nobody]):
    """One worker: the flow, wired to the outside."""

    def __init__(
        self,
        outside: Outside,
        *,
        slots: int = 64,
        cap: int = 16,
        policy: RetryPolicy | None = None,
    ) -> None:
        self.outside = outside
        self.facts = list[Fact]()
        self.crashes: list[BaseException] = []
        tables, loop = outside.tables, asyncio.get_running_loop()
        self.due = CountingDueStore(tables)
        super().__init__(
            Ports(
                health=DatabaseHealth(loop.time),
                platforms=FakePlatformSource(tables),
                events=FakeEventStore(tables),
                links=None,
                ledger=FakeLedger(tables, self.facts.append),
                due=self.due,
                letters=FakeDeadLetterStore(tables),
                replays=FakeReplayStore(tables),
                outbox=EmptyOutbox(),
                leader_lease=FakeLeaderLease(tables),
                queue=outside.queue,
                rejects=outside.rejects,
                waiting_events=outside.queue,
                sender=outside.platforms,
                publish=publish_nothing,
                decode=_decode,
                encode=lambda event, platform_id: f"{event.id} {platform_id}".encode(),
            ),
            Limits(slots, cap, policy or RetryPolicy((5.0, 60.0), max_age_s=3600.0), grace=GRACE),
            name=str(id(self)),
            clocks=Clocks(
                lambda: datetime.fromtimestamp(EPOCH_MS / 1000 + loop.time(), UTC),
                loop.time,
                lambda: 0.5,
            ),
            new_lease=tables.new_token,
            observe=self.facts.append,
            crashed=self.crashes.append,
            consume=lambda _handle, _may_consume: Nobody(),
        )

    async def __aenter__(self) -> Self:
        await self.directory.refresh()
        self._duties = [
            asyncio.create_task(duty)
            for duty in (self.scheduler.run(), self.sweeper.run(), self.replayer.run())
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.die()

    async def die(self) -> None:
        """End as a killed process does: nothing is finished, nothing is said."""
        mine = asyncio.all_tasks() - {asyncio.current_task()}
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)

    def take(self, event: DisconnectEvent | Rejection) -> tuple[FakeMessage, asyncio.Task[None]]:
        """Let the broker deliver an event."""
        message = FakeMessage(event, asyncio.get_running_loop().time())
        return message, asyncio.create_task(self.fan_out.handle(message))

    async def handle(self, event: DisconnectEvent | Rejection) -> FakeMessage:
        """Let the broker deliver an event, and wait for its ack."""
        message, task = self.take(event)
        await task
        return message


class CountingDueStore(FakeDueStore):
    """Counts how often it is asked."""

    def __init__(self, tables: FakeTables) -> None:
        super().__init__(tables)
        self.looks = 0

    async def due_platforms(self, platform_ids: Collection[str]) -> Collection[str]:
        self.looks += 1
        return await super().due_platforms(platform_ids)


def bulkheads_of(slots: int, observe: Observe = lambda _fact: None) -> Bulkheads:
    """Return some that nobody waits for, at a time that stands still."""
    return Bulkheads(
        slots,
        slots,
        clock=lambda: 0.0,
        wakeups=Wakeups(),
        heard=lambda _id, _exchange: None,
        observe=observe,
    )


def event(event_id: str, email: str = "alice@example.com") -> DisconnectEvent:
    """Return a disconnect of alice."""
    return DisconnectEvent(
        event_id, AT, User(email, None), Provider.GOOGLE, AT, Reason.USER_REQUESTED
    )


def _decode(message: Incoming) -> DisconnectEvent | Rejection:
    assert isinstance(message, FakeMessage)
    return message.event
