"""The parts of a worker: the flow on real adapters, and what looks after it."""

import random
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

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
from disconnect_fanout.app.balance_monitor import BalanceMonitor
from disconnect_fanout.app.gauges import Gauges
from disconnect_fanout.app.management import management_of
from disconnect_fanout.app.periodic_jobs import periodic_jobs
from disconnect_fanout.app.settings import Settings
from disconnect_fanout.app.stores import Stores
from disconnect_fanout.app.topology import topology_of
from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.rejection import Rejection
from disconnect_fanout.flow.database_health import DatabaseHealth
from disconnect_fanout.flow.deliver import Clocks
from disconnect_fanout.flow.housekeeping import Housekeeping
from disconnect_fanout.flow.incoming import Incoming
from disconnect_fanout.flow.supervision.duties import Run
from disconnect_fanout.flow.supervision.stumbles import Stumbles
from disconnect_fanout.flow.wiring import Flow, Handle, Limits, MayConsume, Ports
from disconnect_fanout.policy.decide import RetryPolicy
from disconnect_fanout.telemetry.observer import Observer


@dataclass(frozen=True, slots=True)
class Parts:
    """What the lifecycle has to start, to stop and to look at."""

    flow: Flow[Consumer]
    health: DatabaseHealth
    look_for_keys: Run
    gauges: Gauges
    publisher: Publisher
    sender: AiohttpSender
    periodic_jobs: tuple[Housekeeping | BalanceMonitor, ...]

    def held(self, *others: Stumbles) -> list[str]:
        """Return what an outage, or a bug that hits everything, keeps the duties from."""
        flow = self.flow
        duties = (flow.scheduler, flow.sweeper, flow.replayer, flow.relay, *self.periodic_jobs)
        stumbles = (*(one.stumbles for one in duties), *others)
        return list(filter(None, [flow.fan_out.problem, *(one.problem for one in stumbles)]))


def assemble(settings: Settings, stores: Stores, observer: Observer) -> Parts:
    """Make the parts; nothing runs yet."""
    clocks = Clocks(lambda: datetime.now(UTC), time.monotonic, random.random)
    topology, worker = topology_of(settings), uuid.uuid4().hex
    keeper = TopologyKeeper(topology, management_of(settings), observer.observe)
    publisher = Publisher(settings.amqp_url.get_secret_value(), topology, restored=keeper.restored)
    sender = AiohttpSender(
        f"disconnect-fanout/{__version__}", settings.allow_networks, resolver=NameResolver()
    )
    flow = Flow(
        _ports(settings, stores, publisher, sender, clocks),
        _limits(settings),
        name=worker,
        clocks=clocks,
        new_lease=lambda: uuid.uuid4().hex,
        observe=observer.observe,
        crashed=observer.crashed,
        consume=partial(_consumer, settings, keeper, observer),
    )
    return Parts(
        flow=flow,
        health=stores.health,
        look_for_keys=stores.look_for_keys,
        gauges=Gauges(
            letters=stores.letters,
            waiting=stores.waiting,
            breakers=stores.breakers(worker),
            bulkheads=flow.bulkheads,
            directory=flow.directory,
            metrics=observer.metrics,
        ),
        publisher=publisher,
        sender=sender,
        periodic_jobs=periodic_jobs(settings, stores, worker, observer),
    )


def _ports(
    settings: Settings, stores: Stores, publisher: Publisher, sender: AiohttpSender, clocks: Clocks
) -> Ports:
    topology = topology_of(settings)
    return Ports(
        health=stores.health,
        platforms=stores.platforms,
        events=stores.events,
        links=stores.links if settings.learns_links else None,
        ledger=stores.ledger,
        due=stores.due,
        letters=stores.letters,
        replays=stores.replays,
        outbox=stores.outbox,
        leader_lease=stores.leader_lease,
        queue=AmqpLetterQueue(publisher, topology.dead_queue),
        rejects=AmqpRejectBox(publisher, topology, clocks.wall),
        waiting_events=QueueDepth(publisher, topology.events_queue),
        sender=sender,
        publish=publishing_by(publisher),
        decode=_decode,
        encode=encode_webhook,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        slots=settings.max_in_flight,
        cap=settings.max_in_flight_per_platform,
        policy=RetryPolicy(settings.retry_schedule, settings.max_age),
        grace=timedelta(seconds=settings.link_grace),
    )


def _consumer(
    settings: Settings,
    keeper: TopologyKeeper,
    observer: Observer,
    handle: Handle,
    may_consume: MayConsume,
) -> Consumer:
    return Consumer(
        url=settings.amqp_url.get_secret_value(),
        queue=topology_of(settings).events_queue,
        prefetch=settings.prefetch,
        handle=handle,
        may_consume=may_consume,
        prepare=keeper.keep,
        look=keeper.look,
        observe=observer.observe,
        on_crash=observer.crashed,
    )


def _decode(one: Incoming) -> DisconnectEvent | ConnectEvent | Rejection:
    return decode_event(one.body, one.content_type, one.headers, one.content_encoding)
