"""The consumer: what it takes it keeps to the ack, and nothing that the broker does ends it."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from aio_pika.abc import AbstractConnection
from tests.harness.servers import amqp
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.running_broker import running_broker

from disconnect_fanout.adapters.broker import consumer as consumers
from disconnect_fanout.adapters.broker.amqp_message import AmqpMessage
from disconnect_fanout.adapters.broker.connection import open_connection
from disconnect_fanout.adapters.broker.consumer import Consumer
from disconnect_fanout.adapters.broker.topology import Topology, declare
from disconnect_fanout.domain.event import EVENT_TYPE
from disconnect_fanout.flow.outage import (
    BrokerUnreachable,
    EverythingCrashes,
    StoreUnreachable,
)

NAMES = Topology()
QUEUE = NAMES.events_queue
BACKOFF_S = 0.6
NOWHERE = "amqp://guest:guest@127.0.0.1:1/"

Handle = Callable[[AmqpMessage], Awaitable[None]]


class Bench:
    """A consumer at work, and what became of it.

    Args:
        url: the broker's.
        handle: takes a message; without one it is acked at once.
        prefetch: messages in hand.
    """

    def __init__(self, url: str, handle: Handle | None = None, prefetch: int = 10) -> None:
        self.url = url
        self.facts: list[object] = []
        self.crashes: list[BaseException] = []
        self.seen: Counter[bytes] = Counter()
        self.gate = asyncio.Event()
        self.gate.set()
        self.consumer = Consumer(
            url=url,
            queue=QUEUE,
            prefetch=prefetch,
            handle=self._count,
            may_consume=self._may_consume,
            prepare=self._prepare,
            observe=self.facts.append,
            on_crash=self.crashes.append,
            rest=self._rest,
        )
        self._handle = handle
        self._changed = asyncio.Condition()
        self._prepared = 0
        self.rests: list[int] = []

    async def publish(self, *bodies: bytes) -> None:
        """Publish events."""
        await amqp.publish(self.url, NAMES.exchange, EVENT_TYPE, *bodies)

    async def seeing(self, test: Callable[[Counter[bytes]], bool]) -> None:
        """Wait until what was seen passes a test."""
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(lambda: test(self.seen))

    async def attached(self, times: int = 1) -> None:
        """Wait until it has prepared so often, which is when it attaches."""
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(lambda: self._prepared >= times)

    def _rest(self, count: int) -> float:
        """Take note of how often in a row all was given back; don't rest."""
        self.rests.append(count)
        return 0.0

    async def _count(self, message: AmqpMessage) -> None:
        self.seen[message.body] += 1
        await self._tell()
        if self._handle is None:
            await message.ack()
        else:
            await self._handle(message)

    async def _may_consume(self) -> None:
        await self.gate.wait()

    async def _prepare(self, connection: AbstractConnection) -> None:
        await declare(connection, NAMES)
        self._prepared += 1
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


NewBench = Callable[..., Bench]


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[NewBench]:
    """Starts consumers that are less patient than in production, and stops them in the end."""
    monkeypatch.setattr(consumers, "_LONGEST_BACKOFF_S", BACKOFF_S)
    running: list[tuple[Bench, asyncio.Task[None]]] = []

    def start(*args: object, **kwargs: object) -> Bench:
        made = Bench(*args, **kwargs)  # type: ignore[arg-type]
        running.append((made, asyncio.create_task(made.consumer.run())))
        return made

    yield start
    for one, task in running:
        await asyncio.wait_for(one.consumer.stop(), 10)
        await asyncio.wait_for(task, 5)
        assert one.crashes == []


def numbers(count: int) -> list[bytes]:
    """So many different messages."""
    return [b"%d" % number for number in range(count)]


async def until(test: Callable[[], object]) -> None:
    """Wait for what nobody is told of."""
    async with asyncio.timeout(10):
        while not test():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0)


async def test_what_is_published_is_handled_and_acked(bench: NewBench, amqp_url: str) -> None:
    """Once each, and the queue is empty."""
    one = bench(amqp_url)
    await one.attached()
    await one.publish(*numbers(300))
    await one.seeing(lambda seen: seen.total() == 300)
    await one.consumer.stop()
    assert one.seen == Counter(numbers(300))
    assert await amqp.depth(amqp_url, QUEUE) == 0
    assert one.facts == []


async def test_a_message_tells_what_was_published(bench: NewBench, amqp_url: str) -> None:
    """Body, content type and encoding, type, id and headers; absent is None or empty."""
    found: list[tuple[object, ...]] = []

    async def handle(message: AmqpMessage) -> None:
        how = (message.content_type, message.content_encoding, message.kind)
        found.append((message.body, *how, message.message_id, dict(message.headers)))
        await message.ack()

    one = bench(amqp_url, handle)
    await one.attached()
    exchange = (NAMES.exchange, EVENT_TYPE)
    how = {"message_id": "m", "content_encoding": "gzip", "type": "amqp-1.0"}
    await amqp.publish(amqp_url, *exchange, b"1", headers={"ce-id": "e", "n": 1}, **how)
    await one.seeing(lambda seen: seen.total() == 1)
    await amqp.publish(amqp_url, *exchange, b"", content_type=None, message_id="x" * 255)
    await one.seeing(lambda seen: seen.total() == 2)
    await one.consumer.stop()
    assert found == [
        (b"1", "application/json", "gzip", "amqp-1.0", "m", {"ce-id": "e", "n": 1}),
        (b"", None, None, None, "x" * 255, {}),
    ]


async def test_an_outage_of_the_store_gives_everything_back_once(
    bench: NewBench, amqp_url: str
) -> None:
    """What is held goes back in one go, waits behind the gate, and comes again exactly once."""
    release = asyncio.Event()
    deliveries: list[object] = []

    async def handle(message: AmqpMessage) -> None:
        if one.seen[message.body] > 1:
            deliveries.append(message.headers.get("x-delivery-count"))
            await message.ack()
        elif message.body == b"4":
            one.gate.clear()
            raise StoreUnreachable("no answer")
        else:
            await release.wait()
            await message.ack()

    one: Bench = bench(amqp_url, handle, prefetch=5)
    await one.attached()
    await one.publish(*numbers(5))
    await amqp.depth_becomes(amqp_url, QUEUE, 5)
    assert one.seen == Counter(numbers(5))
    assert not one.consumer.attached
    one.gate.set()
    await one.seeing(lambda seen: seen.total() == 10)
    release.set()
    await one.consumer.stop()
    assert one.seen == Counter(numbers(5) * 2)
    assert deliveries == [1] * 5
    assert await amqp.depth(amqp_url, QUEUE) == 0


@pytest.mark.parametrize("error", [StoreUnreachable, BrokerUnreachable, EverythingCrashes])
async def test_rests_grow_until_an_event_is_settled(
    bench: NewBench, amqp_url: str, error: type[Exception]
) -> None:
    """Each giving back counts against the delivery limit, so they become rare; then anew."""
    fails = iter([True, True, True, False, True])

    async def handle(message: AmqpMessage) -> None:
        if next(fails, False):
            raise error("away")
        await message.ack()

    one: Bench = bench(amqp_url, handle, prefetch=1)
    await one.attached()
    await one.publish(b"1", b"2")
    await one.seeing(lambda seen: seen.total() == 6)
    await amqp.depth_becomes(amqp_url, QUEUE, 0)
    await one.consumer.stop()
    assert one.rests == [1, 2, 3, 1]


async def test_a_stop_finishes_what_is_in_hand_and_takes_no_more(
    bench: NewBench, amqp_url: str
) -> None:
    """None is lost, none is delivered again, and the rest lies untouched in the queue."""
    release = asyncio.Event()

    async def handle(message: AmqpMessage) -> None:
        await release.wait()
        await message.ack()

    one = bench(amqp_url, handle, prefetch=10)
    await one.attached()
    await one.publish(*numbers(30))
    await one.seeing(lambda seen: seen.total() == 10)
    stopping = asyncio.create_task(one.consumer.stop())
    await until(lambda: not one.consumer.attached)  # the broker has confirmed the cancel
    assert not stopping.done()
    release.set()
    await stopping
    left = await amqp.browse(amqp_url, QUEUE)
    assert one.seen == Counter(numbers(10))
    assert [message.body for message in left] == numbers(30)[10:]
    assert not any(message.redelivered for message in left)


async def test_a_stop_in_full_flow_loses_and_repeats_nothing(
    bench: NewBench, amqp_url: str
) -> None:
    """Whatever was on its way to us when we stopped is handled, or back in the queue."""
    one, other = bench(amqp_url, prefetch=50), Bench(amqp_url, prefetch=50)
    await one.attached()
    await one.publish(*numbers(3000))
    await one.seeing(lambda seen: seen.total() >= 700)
    await one.consumer.stop()
    await amqp.depth_becomes(amqp_url, QUEUE, 3000 - one.seen.total())
    rest = asyncio.create_task(other.consumer.run())
    await other.seeing(lambda seen: seen.total() + one.seen.total() == 3000)
    await other.consumer.stop()
    await rest
    assert one.seen + other.seen == Counter(numbers(3000))


async def test_a_stop_before_anything_is_there_is_quick(bench: NewBench) -> None:
    """Behind a closed gate, and on the way to a broker that is not there."""
    waiting, trying = bench(NOWHERE), bench(NOWHERE)
    waiting.gate.clear()
    await until(lambda: trying.facts)
    async with asyncio.timeout(2):
        await waiting.consumer.stop()
        await trying.consumer.stop()


async def test_letting_go_asks_the_gate_again(bench: NewBench, amqp_url: str) -> None:
    """No platform is left: nothing is consumed until one is registered."""
    one = bench(amqp_url)
    await one.attached()
    one.gate.clear()
    one.consumer.let_go()
    await until(lambda: not one.consumer.wanted)  # it has let go, and asks
    await one.publish(b"1")
    await amqp.depth_becomes(amqp_url, QUEUE, 1)
    assert one.seen.total() == 0
    one.gate.set()
    await one.seeing(lambda seen: seen.total() == 1)


async def test_a_deleted_queue_comes_back(bench: NewBench, amqp_url: str) -> None:
    """The broker says that it drops the consumer; it declares the queue and attaches again."""
    one = bench(amqp_url)
    await one.attached()
    await one.publish(b"before")
    await one.seeing(lambda seen: seen.total() == 1)
    async with amqp.channel(amqp_url) as channel:
        await channel.queue_delete(QUEUE)
    async with asyncio.timeout(5):
        await one.attached(times=2)
    await one.publish(b"after")
    await one.seeing(lambda seen: seen[b"after"] == 1)


async def test_what_ends_at_once_is_not_taken_up_at_once(bench: NewBench, amqp_url: str) -> None:
    """Each return counts towards the limit of all that we hold: 20 quick ones would reject it."""
    one = bench(amqp_url)
    await one.attached()
    await until(lambda: one.consumer.attached)
    async with amqp.channel(amqp_url) as channel:
        await channel.queue_delete(QUEUE)
    await until(lambda: not one.consumer.attached)
    began = time.monotonic()
    await one.attached(times=2)
    assert time.monotonic() - began > BACKOFF_S / 2


async def test_a_bug_holds_its_message_and_nobody_elses(bench: NewBench, amqp_url: str) -> None:
    """A crash of one handler is told; the others go on, and its message is not acked."""

    async def handle(message: AmqpMessage) -> None:
        if message.body == b"1":
            raise ZeroDivisionError
        await message.ack()

    one = bench(amqp_url, handle, prefetch=2)
    await one.attached()
    await one.publish(*numbers(20))
    await one.seeing(lambda seen: seen.total() == 20)
    await one.consumer.stop()
    assert [type(error) for error in one.crashes] == [ZeroDivisionError]
    one.crashes.clear()
    assert [message.body for message in await amqp.browse(amqp_url, QUEUE)] == [b"1"]


@pytest.fixture(scope="module")
def broker() -> Iterator[PrivateRabbitMQ]:
    """A broker for the outages below."""
    with running_broker() as broker:
        yield broker


async def test_work_survives_the_loss_of_its_connection(
    bench: NewBench, broker: PrivateRabbitMQ
) -> None:
    """It goes on to its end, its ack is swallowed, and the message comes again."""
    release, finished = asyncio.Event(), []

    async def handle(message: AmqpMessage) -> None:
        if one.seen[message.body] == 1:
            await release.wait()
        await message.ack()
        finished.append(message.body)

    one: Bench = bench(broker.url, handle)
    await one.attached()
    await one.publish(b"1")
    await one.seeing(lambda seen: seen[b"1"] == 1)
    await broker.rabbitmqctl("close_all_connections", "--vhost", "/", "cut by a test")
    await one.seeing(lambda seen: seen[b"1"] == 2)
    release.set()
    await one.consumer.stop()
    assert finished == [b"1", b"1"]
    assert await amqp.depth(broker.url, QUEUE) == 0
    told = [getattr(fact, "reachable", None) for fact in one.facts]
    assert told == [False, True]


async def test_it_is_attached_again_after_a_crash_of_the_broker(
    bench: NewBench, broker: PrivateRabbitMQ
) -> None:
    """Within a back-off of 5 s, and with the messages that were kept."""
    one = bench(broker.url)
    await one.attached()
    await broker.flush_names()
    await one.publish(b"before")
    await one.seeing(lambda seen: seen[b"before"] == 1)
    await broker.crash()
    await broker.restart()
    async with asyncio.timeout(8):
        await one.attached(times=2)
    await one.publish(b"after")
    await one.seeing(lambda seen: seen[b"after"] == 1)
    assert [getattr(fact, "reachable", None) for fact in one.facts] == [False, True]


async def test_a_frozen_broker_is_noticed(
    bench: NewBench, broker: PrivateRabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections stay open and nobody answers: that is an outage too, and it ends."""
    where = "disconnect_fanout.adapters.broker"
    monkeypatch.setattr(f"{where}.subscription._CHECK_EVERY_S", 0.2)
    for module in ("connection", "subscription"):
        monkeypatch.setattr(f"{where}.{module}.ANSWER_TIMEOUT_S", 0.5)
    monkeypatch.setattr(f"{where}.connection.CONNECT_TIMEOUT_S", 0.5)
    monkeypatch.setattr(f"{where}.connection._CLOSE_TIMEOUT_S", 0.5)
    one = bench(broker.url)
    await one.attached()
    broker.freeze()
    try:
        await until(lambda: one.facts)
    finally:
        broker.thaw()
    await one.attached(times=2)
    async with await open_connection(broker.url, "test") as connection:
        await declare(connection, NAMES)
    await one.publish(b"thawed")
    await one.seeing(lambda seen: seen[b"thawed"] == 1)
