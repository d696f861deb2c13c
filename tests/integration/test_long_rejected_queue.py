"""A long queue of rejected events, and one of large ones: looked at in bounded memory, in order."""

import asyncio
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice

import pytest
from tests.harness.servers import amqp

from disconnect_fanout.adapters.broker.rejected_queue import RejectedQueue
from disconnect_fanout.adapters.broker.topology import Topology

MIB = 1024 * 1024
MOST = 64 * MIB
LARGE = 300


@pytest.fixture
def traced() -> Iterator[None]:
    """Python's memory is counted, from here on."""
    tracemalloc.start(1)
    yield
    tracemalloc.stop()


def name(body: bytes) -> str:
    """The id of a message with this body."""
    return f"rej_{sha256(body).hexdigest()[:16]}"


def large(number: int) -> bytes:
    """A body of 1 MiB."""
    return b"%08d" % number + bytes(MIB - 8)


async def published(url: str, topology: Topology, bodies: Iterator[bytes], at_once: int) -> int:
    """Put them into the queue, a few in memory at a time; return how many."""
    count = 0
    while batch := list(islice(bodies, at_once)):
        await amqp.publish(url, "", topology.rejected_queue, *batch)
        count += len(batch)
    await amqp.depth_becomes(url, topology.rejected_queue, count)
    return count


async def ids(rejected: RejectedQueue) -> list[str]:
    """All, in order."""
    return [one.id for one in await rejected.list(10_000)]


@pytest.mark.timeout(180)
@pytest.mark.usefixtures("traced")
async def test_large_bodies_do_not_fill_the_memory(
    rejected: RejectedQueue, topology: Topology, amqp_url: str
) -> None:
    """300 MiB in the queue, and never 64 of them here, whatever is done with them."""
    everything = [name(large(number)) for number in range(LARGE)]
    await published(amqp_url, topology, map(large, range(LARGE)), 5)
    tracemalloc.reset_peak()
    assert await ids(rejected) == everything
    found = await rejected.find(everything[7])
    assert found is not None
    assert found[1] == large(7)
    assert await rejected.missing(["rej_0", everything[5]]) == {"rej_0"}
    assert await rejected.discard(everything[:100:2]) == 50
    assert await rejected.replay(everything[1:100:3]) == 17
    left = [one for number, one in enumerate(everything)
            if number >= 100 or (number % 2 and number % 3 != 1)]  # fmt: skip
    assert await ids(rejected) == left
    assert await rejected.replay(None) == len(left)
    assert tracemalloc.get_traced_memory()[1] < MOST
    await amqp.depth_becomes(amqp_url, topology.events_queue, 17 + len(left))
    assert await amqp.depth(amqp_url, topology.rejected_queue) == 0


async def test_thousands_keep_their_order_through_every_command(
    rejected: RejectedQueue, topology: Topology, amqp_url: str
) -> None:
    """2,000: looked at, a tenth replayed and a tenth removed, the rest as it was."""
    bodies = [b"%d" % number for number in range(2000)]
    await published(amqp_url, topology, iter(bodies), 500)
    everything = [name(one) for one in bodies]
    assert await ids(rejected) == everything
    assert await rejected.replay(everything[3::10]) == 200
    assert await rejected.discard(everything[5::10]) == 200
    left = [one for number, one in enumerate(everything) if number % 10 not in {3, 5}]
    for _ in range(2):
        assert await ids(rejected) == left
    again = [one.body for one in await amqp.browse(amqp_url, topology.events_queue)]
    assert again == bodies[3::10]


@pytest.mark.parametrize("interrupted_at", [1, 5, 40])
async def test_an_interrupted_replay_loses_nothing(
    rejected: RejectedQueue, topology: Topology, amqp_url: str, interrupted_at: int
) -> None:
    """Ctrl-C in the middle: each is in the one queue or in the other, or, once, in both."""
    bodies = [b"%d" % number for number in range(500)]
    await published(amqp_url, topology, iter(bodies), 500)
    replay = asyncio.create_task(rejected.replay(None))
    # A broker tells nobody about a depth, so there is nothing to await but time.
    while await amqp.depth(amqp_url, topology.events_queue) < interrupted_at:  # noqa: ASYNC110
        await asyncio.sleep(0)
    replay.cancel()
    with pytest.raises(asyncio.CancelledError):
        await replay
    sent = {one.body for one in await amqp.browse(amqp_url, topology.events_queue)}
    assert len(sent) >= interrupted_at
    kept = set(await ids(rejected))
    assert kept | {name(one) for one in sent} == {name(one) for one in bodies}
    assert len(kept) + len(sent) <= 501
