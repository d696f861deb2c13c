"""What the flow may expect of a consumer: the real one on RabbitMQ, and the fake in memory."""

import asyncio
from abc import abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, Protocol

import pytest
from aio_pika.abc import AbstractConnection
from tests.harness.fakes.broker import FakeBroker, FakeWire, Stored
from tests.harness.fakes.consumer import FakeConsumer
from tests.harness.servers import amqp
from tests.harness.servers.rabbitmq import PrivateRabbitMQ

from disconnect_fanout.adapters.broker import consumer as consumers
from disconnect_fanout.adapters.broker.consumer import Consumer
from disconnect_fanout.adapters.broker.topology import Topology, declare
from disconnect_fanout.domain.event import EVENT_TYPE
from disconnect_fanout.flow.incoming import DELIVERY_LIMIT, Incoming
from disconnect_fanout.flow.outage import OutOfMeans, StoreUnreachable

BACKOFF_S = 0.3
NAMES = Topology()
Handle = Callable[[Incoming], Awaitable[None]]


class AnyConsumer(Protocol):
    """What a worker's life needs of one."""

    @property
    def attached(self) -> bool: ...

    async def run(self) -> None: ...

    async def stop(self) -> None: ...


class Stage(Protocol):
    """A broker with one queue of events."""

    crashes: list[BaseException]

    @abstractmethod
    def consumer(
        self, handle: Handle, prefetch: int, may_consume: Callable[[], Coroutine[Any, Any, None]]
    ) -> AnyConsumer: ...

    @abstractmethod
    async def publish(self, *bodies: bytes) -> None: ...

    @abstractmethod
    async def depth_becomes(self, count: int) -> None: ...

    @abstractmethod
    async def rejected_becomes(self, count: int) -> None: ...

    @abstractmethod
    async def cut(self) -> None:
        """End all connections."""


class FakeStage(Stage):
    """In memory."""

    def __init__(self) -> None:
        self.crashes = []
        self._broker, self._wire = FakeBroker(), FakeWire()

    def consumer(
        self, handle: Handle, prefetch: int, may_consume: Callable[[], Coroutine[Any, Any, None]]
    ) -> AnyConsumer:
        return FakeConsumer(
            self._broker,
            self._wire,
            prefetch=prefetch,
            handle=handle,
            may_consume=may_consume,
            on_crash=self.crashes.append,
            backoff_s=BACKOFF_S,
        )

    async def publish(self, *bodies: bytes) -> None:
        for one in bodies:
            await self._broker.publish(FakeWire(), self._broker.events, Stored(one))

    async def depth_becomes(self, count: int) -> None:
        await until(lambda: len(self._broker.events.ready) == count)

    async def rejected_becomes(self, count: int) -> None:
        await until(lambda: len(self._broker.rejected.ready) == count)

    async def cut(self) -> None:
        self._broker.lose()


class RealStage(Stage):
    """RabbitMQ."""

    def __init__(self, url: str, broker: PrivateRabbitMQ | None) -> None:
        self.crashes = []
        self._url = url
        self._broker = broker

    def consumer(
        self, handle: Handle, prefetch: int, may_consume: Callable[[], Coroutine[Any, Any, None]]
    ) -> AnyConsumer:
        async def prepare(connection: AbstractConnection) -> None:
            await declare(connection, NAMES)

        return Consumer(
            url=self._url,
            queue=NAMES.events_queue,
            prefetch=prefetch,
            handle=handle,
            may_consume=may_consume,
            prepare=prepare,
            observe=lambda _fact: None,
            on_crash=self.crashes.append,
            rest=lambda _count: 0.0,
        )

    async def publish(self, *bodies: bytes) -> None:
        await amqp.publish(self._url, NAMES.exchange, EVENT_TYPE, *bodies)

    async def depth_becomes(self, count: int) -> None:
        await amqp.depth_becomes(self._url, NAMES.events_queue, count)

    async def rejected_becomes(self, count: int) -> None:
        await amqp.depth_becomes(self._url, NAMES.rejected_queue, count)

    async def cut(self) -> None:
        assert self._broker is not None
        await self._broker.rabbitmqctl("close_all_connections", "--vhost", "/", "cut by a test")


class Bench:
    """A consumer at work, and what it saw."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.seen = Counter[bytes]()
        self.gate = asyncio.Event()
        self.gate.set()
        self._running: list[tuple[AnyConsumer, asyncio.Task[None]]] = []

    async def consume(self, handle: Handle | None = None, prefetch: int = 10) -> AnyConsumer:
        """Start one, and wait until it is attached."""

        async def count(message: Incoming) -> None:
            self.seen[message.body] += 1
            await (message.ack() if handle is None else handle(message))

        async def gate() -> None:
            await self.gate.wait()

        one = self.stage.consumer(count, prefetch, gate)
        self._running.append((one, asyncio.create_task(one.run())))
        await until(lambda: one.attached)
        return one

    async def close(self) -> None:
        """Stop what was started."""
        for one, task in self._running:
            await asyncio.wait_for(one.stop(), 10)
            await asyncio.wait_for(task, 10)


@pytest.fixture(params=["fake", "rabbitmq"])
def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A queue, once of each kind. The test that cuts connections has a broker of its own."""
    if request.param == "fake":
        return FakeStage()
    monkeypatch.setattr(consumers, "_LONGEST_BACKOFF_S", BACKOFF_S)
    if "connection" in request.node.name:
        broker: PrivateRabbitMQ = request.getfixturevalue("own_rabbitmq")
        return RealStage(broker.url, broker)
    return RealStage(request.getfixturevalue("amqp_url"), None)


@pytest.fixture
async def bench(stage: Stage) -> AsyncIterator[Bench]:
    """Consumers of it, stopped in the end."""
    made = Bench(stage)
    yield made
    await made.close()


async def until(test: Callable[[], object]) -> None:
    """Wait for what nobody is told of."""
    async with asyncio.timeout(30):
        while not test():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0)


def numbers(count: int) -> list[bytes]:
    """So many different messages."""
    return [b"%d" % number for number in range(count)]


async def test_what_is_published_is_handled_once_and_acked(bench: Bench) -> None:
    """And the queue is empty."""
    one = await bench.consume()
    await bench.stage.publish(*numbers(30))
    await until(lambda: bench.seen.total() == 30)
    await one.stop()
    assert bench.seen == Counter(numbers(30))
    await bench.stage.depth_becomes(0)


async def test_no_more_than_the_prefetch_is_in_hand(bench: Bench) -> None:
    """The rest lies in the queue, for others."""
    release = asyncio.Event()

    async def handle(message: Incoming) -> None:
        await release.wait()
        await message.ack()

    await bench.consume(handle, prefetch=3)
    await bench.stage.publish(*numbers(8))
    await bench.stage.depth_becomes(5)
    assert bench.seen.total() == 3
    release.set()
    await until(lambda: bench.seen.total() == 8)


@pytest.mark.parametrize("error", [StoreUnreachable("no answer"), OutOfMeans("out of memory")])
async def test_an_outage_of_the_store_gives_everything_back_once(
    bench: Bench, error: Exception
) -> None:
    """What is held waits behind the gate, and comes again exactly once, and says so."""
    release, returns = asyncio.Event(), list[object]()

    async def handle(message: Incoming) -> None:
        if bench.seen[message.body] > 1:
            returns.append(message.headers.get("x-delivery-count"))
            await message.ack()
        elif message.body == b"4":
            bench.gate.clear()
            raise error
        else:
            await release.wait()
            await message.ack()

    one = await bench.consume(handle, prefetch=5)
    await bench.stage.publish(*numbers(5))
    await bench.stage.depth_becomes(5)
    assert not one.attached
    bench.gate.set()
    await until(lambda: bench.seen.total() == 10)
    release.set()
    await one.stop()
    assert bench.seen == Counter(numbers(5) * 2)
    assert returns == [1] * 5
    await bench.stage.depth_becomes(0)


async def test_a_stop_finishes_what_is_in_hand_and_takes_no_more(bench: Bench) -> None:
    """None is lost, none is delivered again, and the rest lies untouched."""
    release = asyncio.Event()

    async def handle(message: Incoming) -> None:
        await release.wait()
        await message.ack()

    one = await bench.consume(handle, prefetch=4)
    await bench.stage.publish(*numbers(9))
    await until(lambda: bench.seen.total() == 4)
    stopping = asyncio.create_task(one.stop())
    await until(lambda: not one.attached)
    assert not stopping.done()
    release.set()
    await stopping
    assert bench.seen.total() == 4
    await bench.stage.depth_becomes(5)


async def test_work_survives_the_loss_of_its_connection(bench: Bench) -> None:
    """It goes on to its end, its ack is swallowed, and the message comes again."""
    release, finished = asyncio.Event(), []

    async def handle(message: Incoming) -> None:
        if bench.seen[message.body] == 1:
            await release.wait()
        await message.ack()
        finished.append(message.body)

    one = await bench.consume(handle)
    await bench.stage.publish(b"1")
    await until(lambda: bench.seen[b"1"] == 1)
    await bench.stage.cut()
    await until(lambda: bench.seen[b"1"] == 2)
    release.set()
    await one.stop()
    assert finished == [b"1", b"1"]
    await bench.stage.depth_becomes(0)


async def test_a_bug_holds_its_message_and_nobody_elses(bench: Bench) -> None:
    """It is told, the others go on, and its message is not acked."""

    async def handle(message: Incoming) -> None:
        if message.body == b"1":
            raise ZeroDivisionError
        await message.ack()

    one = await bench.consume(handle, prefetch=2)
    await bench.stage.publish(*numbers(12))
    await until(lambda: bench.seen.total() == 12)
    await one.stop()
    assert [type(error) for error in bench.stage.crashes] == [ZeroDivisionError]
    await bench.stage.depth_becomes(1)


async def test_what_comes_back_too_often_is_put_aside(bench: Bench) -> None:
    """It goes to the rejected ones, and its neighbours are not held up by it any more."""

    async def handle(message: Incoming) -> None:
        if message.body == b"deadly":
            raise StoreUnreachable("no answer")
        await message.ack()

    await bench.consume(handle, prefetch=1)
    await bench.stage.publish(b"deadly")
    await bench.stage.rejected_becomes(1)
    assert bench.seen[b"deadly"] == DELIVERY_LIMIT + 1
    await bench.stage.publish(b"harmless")
    await until(lambda: bench.seen[b"harmless"] == 1)
