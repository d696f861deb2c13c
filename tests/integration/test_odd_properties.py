"""Messages whose properties no client can read, which AMQP and RabbitMQ let anybody publish."""

import asyncio
import struct

import aio_pika
import pytest
from aio_pika.abc import AbstractConnection
from aiormq.abc import ChannelFrame
from pamqp import commands, frame
from pamqp.body import ContentBody
from tests.harness.servers import amqp

from disconnect_fanout.adapters.broker.amqp_message import AmqpMessage
from disconnect_fanout.adapters.broker.connection import open_connection
from disconnect_fanout.adapters.broker.consumer import Consumer
from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.adapters.broker.rejected_queue import RejectedQueue
from disconnect_fanout.adapters.broker.topology import Topology, declare

NAMES = Topology()
CONTENT_TYPE, HEADERS, MESSAGE_ID, TIMESTAMP = 1 << 15, 1 << 13, 1 << 7, 1 << 6


def short(text: bytes) -> bytes:
    """A short string on the wire."""
    return bytes([len(text)]) + text


def table(entries: bytes) -> bytes:
    """A table of headers on the wire."""
    return struct.pack(">I", len(entries)) + entries


ODD = {
    "a content type that is not UTF-8": (CONTENT_TYPE, short(b"\xff\xfe")),
    "an id that is not UTF-8": (MESSAGE_ID, short(b"\xff")),
    "a header name that is not UTF-8": (HEADERS, table(short(b"\xff") + b"t\x01")),
    "a header that is not UTF-8": (
        HEADERS,
        table(short(b"a") + b"S" + struct.pack(">I", 1) + b"\xff"),
    ),
    "a time beyond the calendar": (TIMESTAMP, struct.pack(">Q", 2**63)),
    "a header beyond the calendar": (HEADERS, table(short(b"a") + b"T" + struct.pack(">Q", 2**62))),
}


async def publish_raw(url: str, queue: str, flags: int, properties: bytes, body: bytes) -> None:
    """Publish what no client would: properties as bytes."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(publisher_confirms=False)
        wire = await channel.get_underlay_channel()
        method = commands.Basic.Publish(exchange="", routing_key=queue)
        header = struct.pack(">HHQH", 60, 0, len(body), flags) + properties
        payload = b"".join(
            (
                frame.marshal(method, wire.number),
                struct.pack(">BHI", 2, wire.number, len(header)) + header + b"\xce",
                frame.marshal(ContentBody(body), wire.number),
            )
        )
        assert connection.transport is not None
        queued = connection.transport.connection.write_queue
        await queued.put(ChannelFrame(payload, should_close=False))
        await channel.close()


@pytest.mark.parametrize(("flags", "properties"), ODD.values(), ids=ODD)
async def test_it_costs_nobody_elses_message(amqp_url: str, flags: int, properties: bytes) -> None:
    """It is handled by its body like any other, on the same connection."""
    facts: list[object] = []
    seen: list[bytes] = []
    both = asyncio.Event()

    async def handle(message: AmqpMessage) -> None:
        seen.append(message.body)
        assert message.headers is not None
        await message.ack()
        if len(seen) == 2:
            both.set()

    async def at_once() -> None:
        """No gate."""

    async def prepare(connection: AbstractConnection) -> None:
        await declare(connection, NAMES)

    async with await open_connection(amqp_url, "test") as connection:
        await prepare(connection)
    await publish_raw(amqp_url, NAMES.events_queue, flags, properties, b"odd")
    await amqp.publish(amqp_url, "", NAMES.events_queue, b"good")
    consumer = Consumer(
        url=amqp_url,
        queue=NAMES.events_queue,
        prefetch=10,
        handle=handle,
        may_consume=at_once,
        prepare=prepare,
        observe=facts.append,
        on_crash=facts.append,
    )
    running = asyncio.create_task(consumer.run())
    await asyncio.wait_for(both.wait(), 10)
    await consumer.stop()
    await running
    assert (seen, facts) == ([b"odd", b"good"], [])


@pytest.mark.parametrize(("flags", "properties"), ODD.values(), ids=ODD)
async def test_an_operator_can_see_and_discard_it(
    amqp_url: str, flags: int, properties: bytes
) -> None:
    """Wherever it lies, it hides nothing else."""
    async with await open_connection(amqp_url, "test") as connection:
        await declare(connection, NAMES)
    await publish_raw(amqp_url, NAMES.rejected_queue, flags, properties, b"odd")
    publisher = Publisher(amqp_url, NAMES)
    rejected = RejectedQueue(publisher, NAMES)
    (one,) = await rejected.list(10)
    assert await rejected.find(one.id) == (one, b"odd")
    assert await rejected.discard([one.id]) == 1
    await publisher.close()
