"""What we declare at the broker: again and again, beside what others declared, or not at all."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aio_pika import ExchangeType
from aio_pika.abc import AbstractConnection
from tests.harness.servers import amqp
from tests.harness.servers.vhost import Vhost

from disconnect_fanout.adapters.broker.connection import open_connection
from disconnect_fanout.adapters.broker.topology import Topology, declare
from disconnect_fanout.adapters.broker.topology_conflict import TopologyConflict
from disconnect_fanout.domain.event import EVENT_TYPE
from disconnect_fanout.flow.outage import BrokerUnreachable


@pytest.fixture
def topology(vhost: Vhost) -> Topology:
    """The names of this test."""
    return Topology(vhost.exchange, vhost.prefix)


@pytest.fixture
async def connection(amqp_url: str) -> AsyncIterator[AbstractConnection]:
    """An open connection."""
    async with await open_connection(amqp_url, "test") as connection:
        yield connection


async def test_declaring_again_changes_nothing(
    connection: AbstractConnection, topology: Topology, amqp_url: str
) -> None:
    """Also by several at once; what lies in the queue stays, and an event is not routed twice."""
    await asyncio.gather(*(declare(connection, topology) for _ in range(4)))
    await amqp.publish(amqp_url, topology.exchange, EVENT_TYPE, b"1")
    await declare(connection, topology)
    await amqp.publish(amqp_url, topology.exchange, EVENT_TYPE, b"2")
    assert [one.body for one in await amqp.browse(amqp_url, topology.events_queue)] == [b"1", b"2"]


@pytest.mark.parametrize("kind", [ExchangeType.FANOUT, ExchangeType.DIRECT, ExchangeType.TOPIC])
async def test_an_exchange_of_upstream_is_taken_as_it_is(
    connection: AbstractConnection, topology: Topology, amqp_url: str, kind: ExchangeType
) -> None:
    """Of whatever type and durability: it is theirs."""
    async with amqp.channel(amqp_url) as channel:
        await channel.declare_exchange(topology.exchange, kind, durable=False)
    await declare(connection, topology)
    await amqp.publish(amqp_url, topology.exchange, EVENT_TYPE, b"told")
    assert await amqp.depth(amqp_url, topology.events_queue) == 1


@pytest.mark.parametrize("which", ["events_queue", "dead_queue", "rejected_queue"])
async def test_a_conflicting_queue_is_named_with_the_way_out(
    connection: AbstractConnection, topology: Topology, amqp_url: str, which: str
) -> None:
    """The operator reads which queue it is and what to do; nothing is deleted."""
    name: str = getattr(topology, which)
    async with amqp.channel(amqp_url) as channel:
        await channel.declare_queue(name, durable=True)
    with pytest.raises(TopologyConflict) as caught:
        await declare(connection, topology)
    words = str(caught.value)
    assert f"queue {name!r} exists with other arguments" in words
    assert "x-" in words
    assert "Empty and delete it, or set FANOUT_PREFIX" in words
    assert await amqp.depth(amqp_url, name) == 0


async def test_nothing_is_left_open(
    connection: AbstractConnection, topology: Topology, amqp_url: str
) -> None:
    """A long-lived connection declares as often as it likes."""
    transport = connection.transport
    assert transport is not None
    for _ in range(3):
        await declare(connection, topology)
    assert [one for one in transport.connection.channels.values() if one is not None] == []
    assert await amqp.depth(amqp_url, topology.dead_queue) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("guest:guest", "guest:s3cret"), "ProbableAuthenticationError"),
        (("/test-", "/no-"), "the broker refused the vhost"),
    ],
    ids=["wrong password", "no such vhost"],
)
async def test_a_refusal_says_why_without_credentials(
    amqp_url: str, change: tuple[str, str], words: str
) -> None:
    """Words for a log: the broker's reason, not our password."""
    url = amqp_url.replace(*change) if change[0] in amqp_url else f"{amqp_url}-s3cret"
    with pytest.raises(BrokerUnreachable, match=words) as caught:
        await open_connection(url, "test")
    assert "s3cret" not in str(caught.value)
    assert "guest:" not in str(caught.value)


async def test_nobody_there_is_an_outage() -> None:
    """Not an exception of the client's."""
    with pytest.raises(BrokerUnreachable, match="Errno 111"):
        await open_connection("amqp://guest:guest@127.0.0.1:1/", "test")
