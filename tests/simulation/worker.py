"""One run of one worker: the flow on lined ports, and the life that ``app.worker`` gives it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from random import Random

from tests.harness.fakes.broker import FakeBroker
from tests.harness.fakes.consumer import FakeConsumer
from tests.harness.fakes.queues import BrokeredDepth, BrokeredLetters, BrokeredRejects
from tests.harness.flow.stage import EPOCH_MS, GRACE, EmptyOutbox, publish_nothing
from tests.simulation.database import (
    Line,
    LinedDue,
    LinedEvents,
    LinedLeaderLease,
    LinedLedger,
    LinedLetters,
    LinedPlatforms,
    LinedReplays,
)
from tests.simulation.process import Process
from tests.simulation.requests import LinedSender, Platforms
from tests.simulation.scenario import Scenario
from tests.simulation.tables import SimulatedTables
from tests.simulation.trace import Trace
from tests.simulation.weather import Weather
from tests.simulation.witness import Witness

from disconnect_fanout.adapters.broker.codec import decode_event, encode_webhook
from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.rejection import Rejection
from disconnect_fanout.flow.database_health import DatabaseHealth
from disconnect_fanout.flow.deliver import Clocks
from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.flow.fact import (
    AttemptGivenBack,
    BreakerTurned,
    ClaimInterrupted,
    DeadLetterDecided,
    DutyFailed,
    EventHandled,
    Fact,
)
from disconnect_fanout.flow.incoming import Incoming
from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.flow.wiring import Flow, Handle, Kinds, Limits, MayConsume, Ports

_REFRESH_S = 1.0
_REJECT_S = 8.0
_BACKOFF_S = 1.0


@dataclass(frozen=True)
class Mutation:
    """How a worker is made worse: parts of other classes, ports in wrappers."""

    kinds: Kinds = field(default_factory=Kinds)
    worsen: Callable[[Ports], Ports] = lambda ports: ports


@dataclass(frozen=True)
class Surroundings:
    """What all workers share."""

    scenario: Scenario
    mutation: Mutation
    chance: Random
    tables: SimulatedTables
    broker: FakeBroker
    platforms: Platforms
    witness: Witness
    trace: Trace


class Worker:
    """Starts at once.

    Args:
        around: what it shares with the others.
        process: as which it runs.
        weather: what lies between it and everything else.
        on_end: told when it has ended in good order.
    """

    def __init__(
        self,
        around: Surroundings,
        process: Process,
        weather: Weather,
        on_end: Callable[[], None],
    ) -> None:
        self.process = process
        self._around = around
        self._weather = weather
        self._on_end = on_end
        self._skew_ms = round(around.chance.uniform(-3_600_000, 3_600_000))
        self._offset_s = around.chance.uniform(0.0, 1e5)
        self._stop = asyncio.Event()
        process.start(self._live())

    def stop(self) -> None:
        """Ask it to finish what it has and to leave."""
        self._stop.set()

    async def _live(self) -> None:
        parts = self._parts()
        while True:
            with suppress(StoreUnreachable):
                await parts.directory.refresh()
                break
            await asyncio.sleep(_REFRESH_S)
        consumer = parts.consumer
        works = (
            consumer.run,
            parts.scheduler.run,
            parts.sweeper.run,
            parts.replayer.run,
            parts.relay.run,
            self._watch_consumer(parts),
        )
        watch = partial(self._watch, parts.directory)
        running = [asyncio.create_task(self._duty(one)) for one in (*works, watch)]
        await self._stop.wait()
        await asyncio.gather(parts.scheduler.stop(), consumer.stop())
        await parts.sending.finish()
        await parts.recorder.drain()
        await parts.office.finish()
        for task in running:
            task.cancel()
        self._on_end()

    async def _duty(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - a duty that ends is a finding
            self._crashed(error)

    def _watch_consumer(self, parts: Flow[FakeConsumer]) -> Callable[[], Awaitable[None]]:
        async def keep() -> None:
            await parts.watchdog.run()
            self._stop.set()  # there is no hope for the consumer: leave, to be started again

        return keep

    async def _watch(self, directory: Directory) -> None:
        while True:
            await asyncio.sleep(_REFRESH_S)
            with suppress(StoreUnreachable):
                await directory.refresh()

    def _parts(self) -> Flow[FakeConsumer]:
        around, loop = self._around, asyncio.get_running_loop()
        return Flow[FakeConsumer](
            around.mutation.worsen(self._ports()),
            Limits(around.scenario.slots, around.scenario.cap, around.scenario.policy, GRACE),
            name=self.process.name,
            clocks=Clocks(
                wall=lambda: datetime.fromtimestamp(
                    (EPOCH_MS + self._skew_ms) / 1000 + loop.time(), UTC
                ),
                monotonic=lambda: loop.time() + self._offset_s,
                chance=around.chance.random,
            ),
            new_lease=around.tables.new_token,
            observe=self._observe,
            crashed=self._crashed,
            consume=self._consumer,
            kinds=around.mutation.kinds,
        )

    def _ports(self) -> Ports:
        around, weather = self._around, self._weather
        tables, broker = around.tables, around.broker
        line = Line(self.process, weather, tables)
        return Ports(
            health=DatabaseHealth(asyncio.get_running_loop().time),
            platforms=LinedPlatforms(line, tables),
            events=LinedEvents(line, tables),
            links=None,
            ledger=LinedLedger(line, tables),
            due=LinedDue(line, tables),
            letters=LinedLetters(line, tables),
            replays=LinedReplays(line, tables),
            outbox=EmptyOutbox(),
            leader_lease=LinedLeaderLease(line, tables),
            queue=BrokeredLetters(broker, weather, around.scenario.window),
            rejects=BrokeredRejects(broker, weather, give_up_after_s=_REJECT_S),
            waiting_events=BrokeredDepth(broker, weather),
            sender=LinedSender(
                self.process, weather, around.platforms, self._round_of, around.witness.request
            ),
            publish=publish_nothing,
            decode=_decode,
            encode=encode_webhook,
        )

    def _consumer(self, handle: Handle, may_consume: MayConsume) -> FakeConsumer:
        return FakeConsumer(
            self._around.broker,
            self._weather,
            prefetch=self._around.scenario.prefetch,
            handle=handle,
            may_consume=may_consume,
            on_crash=self._crashed,
            backoff_s=_BACKOFF_S,
        )

    def _round_of(self, delivery_id: str) -> int:
        row = self._around.tables.deliveries.get(delivery_id)
        return 0 if row is None else row.replays

    def _observe(self, fact: Fact) -> None:
        if (words := self._words(fact)) is not None:
            self._around.trace.say(self.process.name, words)

    def _words(self, fact: Fact) -> str | None:  # noqa: PLR0911 - one case for each fact
        """Tell what is not seen by its effect already."""
        match fact:
            case EventHandled(outcome=outcome, event_id=event_id):
                return f"event {event_id}: {outcome}"
            case DeadLetterDecided(delivery_id=name, reason=reason):
                return f"decides that {self._around.witness.named(name)} is dead: {reason}"
            case AttemptGivenBack(delivery_id=name, shortage=shortage):
                return f"gives {self._around.witness.named(name)} back: {shortage.words}"
            case ClaimInterrupted(delivery_id=name):
                return f"finds {self._around.witness.named(name)} cut off"
            case DutyFailed(duty=duty, detail=detail):
                return f"stumbles over {duty}: {detail}"
            case BreakerTurned(platform_id=name, opened=opened):
                return f"breaker of {name} {'opens' if opened else 'closes'}"
            case _:
                return None

    def _crashed(self, error: BaseException) -> None:
        self._around.witness.object("bug", f"{self.process.name} met {error!r}")


def _decode(message: Incoming) -> DisconnectEvent | ConnectEvent | Rejection:
    return decode_event(message.body, message.content_type)
