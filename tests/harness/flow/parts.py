"""The flow, wired to whatever ports it is given: what ``app.parts`` does with real adapters."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from disconnect_fanout.flow.bulkheads import Bulkheads
from disconnect_fanout.flow.dead_letter_office import DeadLetterOffice
from disconnect_fanout.flow.deliver import Clocks, Deliverer, Sender
from disconnect_fanout.flow.directory import Directory, PlatformSource
from disconnect_fanout.flow.due import DueStore
from disconnect_fanout.flow.fact import Observe
from disconnect_fanout.flow.fan_out import Decode, FanOut
from disconnect_fanout.flow.forgotten_platform import forgetting
from disconnect_fanout.flow.held_tasks import HeldTasks
from disconnect_fanout.flow.incoming import RejectBox
from disconnect_fanout.flow.letters import DeadLetterStore, LetterQueue
from disconnect_fanout.flow.link_keeper import ExternalLinks
from disconnect_fanout.flow.planner import Planner
from disconnect_fanout.flow.recorder import Ledger, Recorder
from disconnect_fanout.flow.recoveries import Recoveries
from disconnect_fanout.flow.replayer import Replayer, ReplayStore
from disconnect_fanout.flow.resolver import EventStore, Resolver
from disconnect_fanout.flow.scheduler import Scheduler
from disconnect_fanout.flow.sweeper import Duty, Sweeper
from disconnect_fanout.flow.webhook import EncodeBody
from disconnect_fanout.policy.decide import RetryPolicy

GRACE = timedelta(seconds=2)


@dataclass(frozen=True)
class FlowPorts:
    """Everything outside of one worker that its flow speaks to."""

    platforms: PlatformSource
    events: EventStore
    ledger: Ledger
    due: DueStore
    letters: DeadLetterStore
    replays: ReplayStore
    duty: Duty
    queue: LetterQueue
    rejects: RejectBox
    sender: Sender
    decode: Decode
    encode: EncodeBody


@dataclass(frozen=True)
class FlowKinds:
    """Of which class a part is; a mutant is a worse one."""

    fan_out: type[FanOut] = FanOut
    office: type[DeadLetterOffice] = DeadLetterOffice


class FlowParts:
    """One worker's flow; nothing runs yet.

    Args:
        name: the worker's, unique.
        new_lease: makes tokens.
    """

    def __init__(
        self,
        ports: FlowPorts,
        *,
        name: str,
        slots: int,
        cap: int,
        policy: RetryPolicy,
        clocks: Clocks,
        new_lease: Callable[[], str],
        observe: Observe,
        crashed: Callable[[BaseException], None],
        kinds: FlowKinds = FlowKinds(),
    ) -> None:
        self.directory = Directory(ports.platforms)
        self.recorder = Recorder(ports.ledger)
        self.probe = ports.events.probe
        self.sending = HeldTasks(crashed)
        self.office = kinds.office(ports.letters, ports.queue, self.recorder, observe, crashed)
        self.bulkheads = Bulkheads(slots, cap, clocks.monotonic, observe)
        self.recoveries = Recoveries(clocks.monotonic)
        self.deliverer = Deliverer(
            sender=ports.sender,
            recorder=self.recorder,
            bulkheads=self.bulkheads,
            directory=self.directory,
            office=self.office,
            policy=policy,
            encode=ports.encode,
            clocks=clocks,
            observe=observe,
        )
        links = ExternalLinks()
        self.fan_out = kinds.fan_out(
            decode=ports.decode,
            resolver=Resolver(
                store=ports.events,
                directory=self.directory,
                bulkheads=self.bulkheads,
                planner=Planner(self.directory, GRACE),
                links=links,
                new_lease=new_lease,
            ),
            links=links,
            deliverer=self.deliverer,
            recorder=self.recorder,
            office=self.office,
            rejects=ports.rejects,
            sending=self.sending,
            observe=observe,
            on_crash=crashed,
        )
        self.scheduler = Scheduler(
            store=ports.due,
            directory=self.directory,
            bulkheads=self.bulkheads,
            recoveries=self.recoveries,
            deliverer=self.deliverer,
            recorder=self.recorder,
            office=self.office,
            policy=policy,
            sending=self.sending,
            clock=clocks.monotonic,
            outages=lambda: ports.events.outages,
            observe=observe,
        )
        self.bulkheads.on_refusal = self.scheduler.refused
        self.bulkheads.on_release = self.scheduler.slot_freed
        self.bulkheads.on_exchange = self.recoveries.heard
        self.recoveries.on_progress = self.scheduler.recovering
        self.directory.on_change = forgetting(self.directory, self.bulkheads, self.recoveries)
        self.sweeper = Sweeper(
            store=ports.letters,
            queue=ports.queue,
            office=self.office,
            duty=ports.duty,
            worker=name,
            clock=clocks.monotonic,
            observe=observe,
        )
        self.replayer = Replayer(ports.replays, observe)
