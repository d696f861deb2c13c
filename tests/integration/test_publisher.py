"""Publishing: what was said to be published is in a queue, whatever the broker went through."""

import asyncio
from collections.abc import Iterator

import pytest
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed
from tests.harness.servers import amqp
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.running_broker import running_broker

from disconnect_fanout.adapters.broker import connection as connections
from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.adapters.broker.topology import Topology, declare
from disconnect_fanout.domain.event import EVENT_TYPE
from disconnect_fanout.flow.outage import BrokerUnreachable

NAMES = Topology()


async def test_a_published_event_is_kept(
    publisher: Publisher, topology: Topology, amqp_url: str
) -> None:
    """Persistent JSON with its id as the message's, so that a restart of the broker keeps it."""
    await publisher.publish_event(b'{"id":"evt_1"}', "evt_1")
    (message,) = await amqp.browse(amqp_url, topology.events_queue)
    assert (message.body, message.message_id) == (b'{"id":"evt_1"}', "evt_1")
    assert message.content_type == "application/json"
    assert message.delivery_mode == 2


async def insist(publisher: Publisher, body: bytes) -> None:
    """Publish as the flow does: an outage is tried again."""
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(BrokerUnreachable),
        wait=wait_fixed(0.05),
        stop=stop_after_delay(20),
        reraise=True,
    )
    await retrying(publisher.publish_event, body, f"evt_{body.decode()}")


@pytest.mark.parametrize("missing", ["queue", "binding", "exchange"])
async def test_what_is_missing_comes_back(
    publisher: Publisher, topology: Topology, amqp_url: str, missing: str
) -> None:
    """Somebody deleted it; 150 publishes at once put it back, and every one of them arrives.

    Only without the exchange must some be tried again: RabbitMQ then ends the connection.
    """
    async with amqp.channel(amqp_url) as channel:
        match missing:
            case "queue":
                await channel.queue_delete(topology.events_queue)
            case "binding":
                queue = await channel.get_queue(topology.events_queue)
                await queue.unbind(topology.exchange, EVENT_TYPE)
            case _:
                await channel.exchange_delete(topology.exchange)
    await asyncio.gather(*(insist(publisher, b"%d" % n) for n in range(150)))
    arrived = {one.body for one in await amqp.browse(amqp_url, topology.events_queue)}
    assert arrived == {b"%d" % n for n in range(150)}


async def test_twins_are_told_apart_when_they_come_back(
    publisher: Publisher, topology: Topology, amqp_url: str
) -> None:
    """Messages with one id at once: by the id alone the client knows which one was returned."""
    async with amqp.channel(amqp_url) as channel:
        await channel.queue_delete(topology.rejected_queue)
    bodies = {b"%d" % n for n in range(20)}
    await asyncio.gather(
        *(publisher.publish_to(topology.rejected_queue, one, "same", {}) for one in bodies)
    )
    arrived = [one.body for one in await amqp.browse(amqp_url, topology.rejected_queue)]
    assert sorted(arrived) == sorted(bodies)


async def test_what_cannot_be_put_back_is_an_outage(
    publisher: Publisher, topology: Topology, amqp_url: str
) -> None:
    """A conflicting queue in the way is told with the way out."""
    async with amqp.channel(amqp_url) as channel:
        await channel.queue_delete(topology.events_queue)
        await channel.queue_delete(topology.dead_queue)
        await channel.declare_queue(topology.dead_queue, durable=True)
    with pytest.raises(BrokerUnreachable, match="exists with other arguments"):
        await publisher.publish_event(b"1", "evt_1")


async def test_an_unknown_queue_is_an_outage(publisher: Publisher) -> None:
    """What no declaration of ours brings back is not published, and says so."""
    with pytest.raises(BrokerUnreachable, match="no queue took a message"):
        await publisher.publish_to("no.such", b"1", "1", {})


@pytest.fixture(scope="module")
def broker() -> Iterator[PrivateRabbitMQ]:
    """A broker for the outages below, with everything declared."""
    with running_broker(declared=NAMES) as broker:
        yield broker


async def test_a_full_queue_refuses_instead_of_losing(broker: PrivateRabbitMQ) -> None:
    """An operator's limit makes publishing fail, until it is raised; without a restart."""
    publisher = Publisher(broker.url, NAMES, confirm_timeout_s=1)
    limit = ("limit", "fanout.*", '{"max-length":3}', "--apply-to", "queues")
    await broker.rabbitmqctl("set_policy", *limit)
    confirmed: set[bytes] = set()

    async def publish_many() -> None:
        for number in range(100):
            await publisher.publish_event(b"%d" % number, f"evt_{number}")
            confirmed.add(b"%d" % number)

    with pytest.raises(BrokerUnreachable, match="refused the message; is it full"):
        await publish_many()
    await broker.rabbitmqctl("clear_policy", "limit")
    await insist(publisher, b"9999")
    await publisher.close()
    kept = {one.body for one in await amqp.browse(broker.url, NAMES.events_queue)}
    assert kept >= confirmed | {b"9999"}


async def test_a_crash_loses_nothing_that_was_confirmed(broker: PrivateRabbitMQ) -> None:
    """Each publish says yes or no; every yes is there after the restart, and publishing goes on."""
    publisher = Publisher(broker.url, NAMES, confirm_timeout_s=5)
    publishing = asyncio.Event()

    async def publish(number: int) -> int | None:
        try:
            await publisher.publish_event(b"%d" % number, f"evt_{number}")
        except BrokerUnreachable:
            return None
        publishing.set()
        return number

    running = [asyncio.create_task(publish(number)) for number in range(2000)]
    await publishing.wait()
    await broker.crash()
    yes = {one for one in await asyncio.gather(*running) if one is not None}
    assert 0 < len(yes) < len(running)
    await broker.restart()
    await insist(publisher, b"2000")
    await publisher.close()
    kept = {int(one.body) for one in await amqp.browse(broker.url, NAMES.events_queue)}
    assert kept >= yes | {2000}


@pytest.mark.parametrize(
    ("query", "confirm_timeout_s", "words"),
    [("", 0.5, "no answer in time"), ("?heartbeat=1", 30.0, "no heartbeat")],
    ids=["time-out", "heartbeat"],
)
async def test_a_frozen_broker_is_an_outage(
    broker: PrivateRabbitMQ, query: str, confirm_timeout_s: float, words: str
) -> None:
    """Never a cancellation, which would pass for a shutdown; thawed, it takes messages again."""
    publisher = Publisher(f"{broker.url}{query}", NAMES, confirm_timeout_s=confirm_timeout_s)
    await publisher.start()
    broker.freeze()
    try:
        with pytest.raises(BrokerUnreachable, match=words):
            await publisher.publish_event(b"1", "evt_frozen")
    finally:
        broker.thaw()
    await publisher.publish_event(b"2", "evt_thawed")
    await publisher.close()


async def test_a_frozen_broker_opens_nothing(
    broker: PrivateRabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even a channel is waited for without an end."""
    monkeypatch.setattr(connections, "ANSWER_TIMEOUT_S", 0.5)
    publisher = Publisher(broker.url, NAMES)
    await publisher.connection()
    broker.freeze()
    try:
        with pytest.raises(BrokerUnreachable, match="no answer in time"):
            await publisher.start()
    finally:
        broker.thaw()
    await insist(publisher, b"thawed")
    await publisher.close()


async def test_a_binding_that_is_missed_while_publishing_is_said(
    amqp_url: str, topology: Topology
) -> None:
    """An event that leads nowhere shows by AMQP alone that the binding is gone: put back, said."""
    said: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    publisher = Publisher(amqp_url, topology, restored=lambda *what: said.append(what))
    try:
        await declare(await publisher.connection(), topology)
        async with amqp.channel(amqp_url) as channel:
            queue = await channel.get_queue(topology.events_queue, ensure=False)
            await queue.unbind(topology.exchange, topology.keys[0])
        await publisher.publish_event(b"{}", "evt_1")
        assert said == [((), topology.keys)]
        assert await amqp.depth(amqp_url, topology.events_queue) == 1
    finally:
        await publisher.close()
