"""The vigil on a real broker: a worker that is connected and deaf notices it."""

import asyncio
import time

import pytest
from tests.harness.servers import amqp
from tests.harness.servers.rabbitmq import PrivateRabbitMQ

from disconnect_fanout.adapters.broker import consumer as consumers
from disconnect_fanout.adapters.broker.amqp_message import AmqpMessage
from disconnect_fanout.adapters.broker.connection import open_connection
from disconnect_fanout.adapters.broker.consumer import Consumer
from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.adapters.broker.queue_depth import QueueDepth
from disconnect_fanout.adapters.broker.topology import Topology, declare
from disconnect_fanout.domain.event import EVENT_TYPE
from disconnect_fanout.flow.fact import ConsumptionSilent, Fact
from disconnect_fanout.flow.supervision.consumer_watchdog import ConsumerWatchdog

NAMES = Topology()
PERIOD_S, LONGEST_SILENCE_S = 0.2, 1.0


class Worker:
    """The consuming half of a worker that is far less patient than in production."""

    def __init__(self, url: str) -> None:
        self.facts: list[Fact] = []
        self.held = asyncio.Event()
        self.publisher = Publisher(url, NAMES)
        self.consumer = Consumer(
            url=url,
            queue=NAMES.events_queue,
            prefetch=1,
            handle=self._hold,
            may_consume=self._at_once,
            prepare=lambda connection: declare(connection, NAMES),
            observe=self.facts.append,
            on_crash=self._crashed,
        )
        self.watchdog = ConsumerWatchdog(
            self.consumer,
            QueueDepth(self.publisher, NAMES.events_queue),
            clock=time.monotonic,
            database_away=lambda: False,
            observe=self.facts.append,
            period_s=PERIOD_S,
            longest_s=LONGEST_SILENCE_S,
        )
        self.consuming = asyncio.create_task(self.consumer.run())

    async def attached(self) -> None:
        """Wait until the broker sends messages."""
        async with asyncio.timeout(20):
            while not self.consumer.attached:  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0)

    async def close(self) -> None:
        """End everything."""
        self.held.set()
        await self.consumer.stop()
        await self.consuming
        await self.publisher.close()

    async def _hold(self, message: AmqpMessage) -> None:
        await self.held.wait()
        await message.ack()

    async def _at_once(self) -> None: ...

    def _crashed(self, error: BaseException) -> None:
        raise AssertionError from error


async def test_a_worker_that_may_not_read_its_queue_ends_itself(
    own_rabbitmq: PrivateRabbitMQ,
) -> None:
    """The broker answers, connecting works, and no consumer can be attached."""
    async with await open_connection(own_rabbitmq.url, "test") as connection:
        await declare(connection, NAMES)
    await own_rabbitmq.rabbitmqctl("set_permissions", "-p", "/", "guest", ".*", ".*", "^amq.*")
    worker = Worker(own_rabbitmq.url)
    try:
        await asyncio.wait_for(worker.watchdog.run(), 20)
        said = [one for one in worker.facts if isinstance(one, ConsumptionSilent)]
        words = "the broker answers, but no consumer is attached"
        assert said == [ConsumptionSilent(words), ConsumptionSilent(words, given_up=True)]
    finally:
        await worker.close()


async def test_a_worker_that_is_stuck_ends_itself_and_an_idle_one_does_not(amqp_url: str) -> None:
    """One message is never done, a second waits: attached, connected, and deaf."""
    worker = Worker(amqp_url)
    vigil = asyncio.create_task(worker.watchdog.run())
    try:
        await worker.attached()
        done, _ = await asyncio.wait({vigil}, timeout=2 * LONGEST_SILENCE_S)
        assert not done, "an idle worker was taken for a deaf one"
        await amqp.publish(amqp_url, NAMES.exchange, EVENT_TYPE, b"one", b"two")
        await asyncio.wait_for(vigil, 20)
        assert worker.watchdog.problem == "messages wait at the broker, and none comes"
    finally:
        vigil.cancel()
        await worker.close()


async def test_a_broker_that_crashes_ends_nobody(
    own_rabbitmq: PrivateRabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away for longer than the patience, and taken up again when it is back."""
    monkeypatch.setattr(consumers, "_LONGEST_BACKOFF_S", PERIOD_S)
    worker = Worker(own_rabbitmq.url)
    worker.held.set()
    vigil = asyncio.create_task(worker.watchdog.run())
    try:
        await worker.attached()
        await own_rabbitmq.flush_names()
        await own_rabbitmq.crash()
        done, _ = await asyncio.wait({vigil}, timeout=2 * LONGEST_SILENCE_S)
        assert not done
        await own_rabbitmq.restart()
        await worker.attached()
        await amqp.publish(own_rabbitmq.url, NAMES.exchange, EVENT_TYPE, b"one")
        await amqp.depth_becomes(own_rabbitmq.url, NAMES.events_queue, 0)
        assert worker.consumer.taken == 1
        assert not vigil.done()
    finally:
        vigil.cancel()
        await worker.close()
