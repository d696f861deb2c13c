"""Who knows whom: a worker's flow, made of the ports that it is given. Read it as a map.

The app hands in real adapters, the tests and the simulation fakes: what they prove is what runs.
"""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeAlias, TypeVar

from disconnect_fanout.flow.bulkheads import Bulkheads
from disconnect_fanout.flow.database_health import DatabaseHealth
from disconnect_fanout.flow.dead_letter_office import DeadLetterOffice
from disconnect_fanout.flow.deliver import Clocks, Deliverer, Sender
from disconnect_fanout.flow.directory import Directory, PlatformSource
from disconnect_fanout.flow.due import DueStore
from disconnect_fanout.flow.fact import Observe
from disconnect_fanout.flow.fan_out import Decode, FanOut
from disconnect_fanout.flow.gate import Gate
from disconnect_fanout.flow.incoming import Incoming, RejectBox
from disconnect_fanout.flow.letters import DeadLetterStore, LetterQueue
from disconnect_fanout.flow.links.keeper import ExternalLinks
from disconnect_fanout.flow.links.managed import ManagedLinks
from disconnect_fanout.flow.links.store import LinkStore
from disconnect_fanout.flow.planner import Planner
from disconnect_fanout.flow.recorder import Ledger, Recorder
from disconnect_fanout.flow.recoveries import Recoveries, forgetting
from disconnect_fanout.flow.relay import Outbox, Publish, Relay
from disconnect_fanout.flow.replayer import Replayer, ReplayStore
from disconnect_fanout.flow.resolver import EventStore, Resolver
from disconnect_fanout.flow.scheduler import Scheduler
from disconnect_fanout.flow.supervision.consumer_watchdog import (
    ConsumerWatchdog,
    Consumption,
    EventQueue,
)
from disconnect_fanout.flow.supervision.held_tasks import HeldTasks
from disconnect_fanout.flow.sweeper import LeaderLease, Sweeper
from disconnect_fanout.flow.wakeups import Wakeups
from disconnect_fanout.flow.webhook import EncodeBody
from disconnect_fanout.policy.decide import RetryPolicy

ConsumerT = TypeVar("ConsumerT", bound=Consumption)
Handle: TypeAlias = Callable[[Incoming], Awaitable[None]]
MayConsume: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
Consume: TypeAlias = Callable[[Handle, MayConsume], ConsumerT]
"""Makes the consumer: hands each message to the first, while the second says that it may."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside of one worker that its flow speaks to.

    Attributes:
        links: where links are kept that events open and close; None if others keep the links.
        waiting_events: tells how many events wait at the broker.
    """

    health: DatabaseHealth
    platforms: PlatformSource
    events: EventStore
    links: LinkStore | None
    ledger: Ledger
    due: DueStore
    letters: DeadLetterStore
    replays: ReplayStore
    outbox: Outbox
    leader_lease: LeaderLease
    queue: LetterQueue
    rejects: RejectBox
    waiting_events: EventQueue
    sender: Sender
    publish: Publish
    decode: Decode
    encode: EncodeBody


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once, how often, how long.

    Attributes:
        slots: requests at once.
        cap: requests at once to one platform that has no cap of its own.
        grace: how much later than its disconnect a link may have been recorded.
    """

    slots: int
    cap: int
    policy: RetryPolicy
    grace: timedelta


@dataclass(frozen=True, slots=True)
class Kinds:
    """Of which class a part is: a mutant is a worse one."""

    fan_out: type[FanOut] = FanOut
    office: type[DeadLetterOffice] = DeadLetterOffice


class Flow(Generic[ConsumerT]):
    """One worker's flow; nothing runs yet.

    Args:
        name: the worker's, unique.
        new_lease: makes tokens.
        crashed: takes an error that nobody expected: a bug.
        consume: makes the consumer.
    """

    def __init__(
        self,
        ports: Ports,
        limits: Limits,
        *,
        name: str,
        clocks: Clocks,
        new_lease: Callable[[], str],
        observe: Observe,
        crashed: Callable[[BaseException], None],
        consume: Consume[ConsumerT],
        kinds: Kinds = Kinds(),
    ) -> None:
        self._ports = ports
        self._limits = limits
        self._name = name
        self._clocks = clocks
        self._new_lease = new_lease
        self._observe = observe
        self._crashed = crashed
        self._kinds = kinds

        self._wakeups = Wakeups()
        self.recoveries = Recoveries(clocks.monotonic, self._wakeups)
        self.bulkheads = self._make_bulkheads()
        self.directory = Directory(ports.platforms, forgetting(self.bulkheads, self.recoveries))
        self.recorder = Recorder(ports.ledger)
        self.sending = HeldTasks(crashed)
        self.office = kinds.office(ports.letters, ports.queue, self.recorder, observe, crashed)
        self.deliverer = self._make_deliverer()
        self.fan_out = self._make_fan_out()
        self.scheduler = self._make_scheduler()
        self.gate = self._make_gate()
        self.consumer = consume(self.fan_out.handle, self.gate.open)
        self.watchdog = self._make_watchdog()
        self.sweeper = self._make_sweeper()
        self.replayer = Replayer(ports.replays, observe)
        self.relay = Relay(ports.outbox, ports.publish, observe)

    def _make_bulkheads(self) -> Bulkheads:
        return Bulkheads(
            self._limits.slots,
            self._limits.cap,
            clock=self._clocks.monotonic,
            wakeups=self._wakeups,
            heard=self.recoveries.heard,
            observe=self._observe,
        )

    def _make_deliverer(self) -> Deliverer:
        return Deliverer(
            sender=self._ports.sender,
            recorder=self.recorder,
            bulkheads=self.bulkheads,
            directory=self.directory,
            office=self.office,
            policy=self._limits.policy,
            encode=self._ports.encode,
            clocks=self._clocks,
            observe=self._observe,
        )

    def _make_fan_out(self) -> FanOut:
        ports, planner = self._ports, Planner(self.directory, self._limits.grace)
        links = ExternalLinks() if ports.links is None else ManagedLinks(ports.links, planner)
        resolver = Resolver(
            store=ports.events,
            directory=self.directory,
            bulkheads=self.bulkheads,
            planner=planner,
            links=links,
            new_lease=self._new_lease,
        )
        return self._kinds.fan_out(
            decode=ports.decode,
            resolver=resolver,
            links=links,
            deliverer=self.deliverer,
            recorder=self.recorder,
            office=self.office,
            rejects=ports.rejects,
            sending=self.sending,
            observe=self._observe,
            on_crash=self._crashed,
        )

    def _make_scheduler(self) -> Scheduler:
        return Scheduler(
            store=self._ports.due,
            directory=self.directory,
            bulkheads=self.bulkheads,
            recoveries=self.recoveries,
            deliverer=self.deliverer,
            recorder=self.recorder,
            office=self.office,
            policy=self._limits.policy,
            sending=self.sending,
            clock=self._clocks.monotonic,
            outages=lambda: self._ports.events.outages,
            wakeups=self._wakeups,
            observe=self._observe,
        )

    def _make_gate(self) -> Gate:
        return Gate(
            self.directory,
            self.recorder,
            self._ports.events.probe,
            self._observe,
            lacking_key=lambda: self._ports.health.lacking_key,
        )

    def _make_watchdog(self) -> ConsumerWatchdog:
        return ConsumerWatchdog(
            self.consumer,
            self._ports.waiting_events,
            clock=self._clocks.monotonic,
            database_away=lambda: self._ports.health.problem is not None,
            observe=self._observe,
        )

    def _make_sweeper(self) -> Sweeper:
        return Sweeper(
            store=self._ports.letters,
            queue=self._ports.queue,
            office=self.office,
            leader_lease=self._ports.leader_lease,
            worker=self._name,
            clock=self._clocks.monotonic,
            observe=self._observe,
        )
