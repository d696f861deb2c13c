"""The parts of a worker, and who knows whom. Everything is made here, once; read it as a map."""

import random
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from disconnect_fanout import __version__
from disconnect_fanout.adapters.broker.codec import decode_event, encode_webhook
from disconnect_fanout.adapters.broker.consumer import Consumer
from disconnect_fanout.adapters.broker.dead_queue import AmqpLetterQueue
from disconnect_fanout.adapters.broker.event_publisher import publishing_by
from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.adapters.broker.queue_depth import QueueDepth
from disconnect_fanout.adapters.broker.rejected_queue import AmqpRejectBox
from disconnect_fanout.adapters.broker.topology_keeper import TopologyKeeper
from disconnect_fanout.adapters.http.resolver import NameResolver
from disconnect_fanout.adapters.http.sender import AiohttpSender
from disconnect_fanout.app.balance_watch import BalanceWatch
from disconnect_fanout.app.chores import chores
from disconnect_fanout.app.gate import Gate
from disconnect_fanout.app.gauges import Gauges
from disconnect_fanout.app.management import management_of
from disconnect_fanout.app.settings import Settings
from disconnect_fanout.app.stores import Stores
from disconnect_fanout.app.topology import topology_of
from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.rejection import Rejection
from disconnect_fanout.flow.bulkheads import Bulkheads
from disconnect_fanout.flow.database_health import DatabaseHealth
from disconnect_fanout.flow.dead_letter_office import DeadLetterOffice
from disconnect_fanout.flow.deliver import Clocks, Deliverer
from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.flow.duties import Run
from disconnect_fanout.flow.fan_out import FanOut
from disconnect_fanout.flow.forgotten_platform import forgetting
from disconnect_fanout.flow.held_tasks import HeldTasks
from disconnect_fanout.flow.housekeeping import Housekeeping
from disconnect_fanout.flow.incoming import Incoming
from disconnect_fanout.flow.link_keeper import ExternalLinks
from disconnect_fanout.flow.managed_links import ManagedLinks
from disconnect_fanout.flow.planner import Planner
from disconnect_fanout.flow.recorder import Recorder
from disconnect_fanout.flow.recoveries import Recoveries
from disconnect_fanout.flow.relay import Relay
from disconnect_fanout.flow.replayer import Replayer
from disconnect_fanout.flow.resolver import Resolver
from disconnect_fanout.flow.scheduler import Scheduler
from disconnect_fanout.flow.stumbles import Stumbles
from disconnect_fanout.flow.sweeper import Sweeper
from disconnect_fanout.flow.vigil import Watchman
from disconnect_fanout.policy.decide import RetryPolicy
from disconnect_fanout.telemetry.observer import Observer


@dataclass(frozen=True, slots=True)
class Parts:
    """What the lifecycle has to start, to stop and to look at."""

    health: DatabaseHealth
    look_for_keys: Run
    gauges: Gauges
    directory: Directory
    publisher: Publisher
    sender: AiohttpSender
    recorder: Recorder
    office: DeadLetterOffice
    sending: HeldTasks
    consumer: Consumer
    watchman: Watchman
    scheduler: Scheduler
    sweeper: Sweeper
    replayer: Replayer
    relay: Relay
    chores: tuple[Housekeeping | BalanceWatch, ...]
    fan_out: FanOut

    def held(self, *others: Stumbles) -> list[str]:
        """Return what an outage, or a bug that hits everything, keeps the duties from."""
        duties = (self.scheduler, self.sweeper, self.replayer, self.relay, *self.chores)
        stumbles = (*(one.stumbles for one in duties), *others)
        return list(filter(None, [self.fan_out.problem, *(one.problem for one in stumbles)]))


def assemble(settings: Settings, stores: Stores, observer: Observer) -> Parts:
    """Make the parts and introduce them to each other; nothing runs yet."""
    observe, crashed = observer.observe, observer.crashed
    clocks = Clocks(lambda: datetime.now(UTC), time.monotonic, random.random)
    policy = RetryPolicy(settings.retry_schedule, settings.max_age)
    topology = topology_of(settings)

    worker = uuid.uuid4().hex
    directory = Directory(stores.platforms)
    recorder = Recorder(stores.ledger)

    keeper = TopologyKeeper(topology, management_of(settings), observe)
    publisher = Publisher(settings.amqp_url.get_secret_value(), topology, restored=keeper.restored)
    queue = AmqpLetterQueue(publisher, topology.dead_queue)
    sender = AiohttpSender(
        f"disconnect-fanout/{__version__}", settings.allow_networks, resolver=NameResolver()
    )

    sending = HeldTasks(crashed)
    office = DeadLetterOffice(stores.letters, queue, recorder, observe, crashed)
    bulkheads = Bulkheads(
        settings.max_in_flight, settings.max_in_flight_per_platform, time.monotonic, observe
    )
    recoveries = Recoveries(time.monotonic)
    planner = Planner(directory, timedelta(seconds=settings.link_grace))
    links = ManagedLinks(stores.links, planner) if settings.learns_links else ExternalLinks()
    deliverer = Deliverer(
        sender=sender,
        recorder=recorder,
        bulkheads=bulkheads,
        directory=directory,
        office=office,
        policy=policy,
        encode=encode_webhook,
        clocks=clocks,
        observe=observe,
    )
    fan_out = FanOut(
        decode=_decode,
        resolver=Resolver(
            store=stores.events,
            directory=directory,
            bulkheads=bulkheads,
            planner=planner,
            links=links,
            new_lease=lambda: uuid.uuid4().hex,
        ),
        links=links,
        deliverer=deliverer,
        recorder=recorder,
        office=office,
        rejects=AmqpRejectBox(publisher, topology, clocks.wall),
        sending=sending,
        observe=observe,
        on_crash=crashed,
    )
    scheduler = Scheduler(
        store=stores.due,
        directory=directory,
        bulkheads=bulkheads,
        recoveries=recoveries,
        deliverer=deliverer,
        recorder=recorder,
        office=office,
        policy=policy,
        sending=sending,
        clock=time.monotonic,
        outages=lambda: stores.health.outages,
        observe=observe,
    )
    bulkheads.on_refusal = scheduler.refused
    bulkheads.on_release = scheduler.slot_freed
    bulkheads.on_exchange = recoveries.heard
    recoveries.on_progress = scheduler.recovering
    directory.on_change = forgetting(directory, bulkheads, recoveries)

    consumer = Consumer(
        url=settings.amqp_url.get_secret_value(),
        queue=topology.events_queue,
        prefetch=settings.prefetch,
        handle=fan_out.handle,
        may_consume=Gate(
            directory,
            recorder,
            stores.events.probe,
            observe,
            lacking_key=lambda: stores.health.lacking_key,
        ).open,
        prepare=keeper.keep,
        look=keeper.look,
        observe=observe,
        on_crash=crashed,
    )
    return Parts(
        health=stores.health,
        look_for_keys=stores.look_for_keys,
        gauges=Gauges(
            letters=stores.letters,
            waiting=stores.waiting,
            breakers=stores.breakers(worker),
            bulkheads=bulkheads,
            directory=directory,
            metrics=observer.metrics,
        ),
        directory=directory,
        publisher=publisher,
        sender=sender,
        recorder=recorder,
        office=office,
        sending=sending,
        consumer=consumer,
        watchman=Watchman(
            consumer,
            QueueDepth(publisher, topology.events_queue),
            clock=time.monotonic,
            database_away=lambda: stores.health.problem is not None,
            observe=observe,
        ),
        scheduler=scheduler,
        sweeper=Sweeper(
            store=stores.letters,
            queue=queue,
            office=office,
            duty=stores.duty,
            worker=worker,
            clock=time.monotonic,
            observe=observe,
        ),
        replayer=Replayer(stores.replays, observe),
        relay=Relay(stores.outbox, publishing_by(publisher), observe),
        chores=chores(settings, stores, worker, observer),
        fan_out=fan_out,
    )


def _decode(one: Incoming) -> DisconnectEvent | ConnectEvent | Rejection:
    return decode_event(one.body, one.content_type, one.headers, one.content_encoding)
