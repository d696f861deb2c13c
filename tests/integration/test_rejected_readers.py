"""Two who look through the rejected events at once: neither takes a part of them for all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from tests.harness.flow.unprocessable import MALFORMED, Message
from tests.harness.servers import amqp

from disconnect_fanout.adapters.broker.browse import browsed, depth
from disconnect_fanout.adapters.broker.connection import open_connection
from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.adapters.broker.queue_in_use import QueueInUse
from disconnect_fanout.adapters.broker.rejected_queue import AmqpRejectBox, RejectedQueue
from disconnect_fanout.adapters.broker.sole_reader import sole_reader
from disconnect_fanout.adapters.broker.topology import Topology

COUNT = 200


@pytest.fixture
async def other(amqp_url: str, topology: Topology) -> AsyncIterator[RejectedQueue]:
    """Another command's look at the same queue."""
    publisher = Publisher(amqp_url, topology)
    yield RejectedQueue(publisher, topology)
    await publisher.close()


@pytest.fixture
async def full(box: AmqpRejectBox) -> None:
    """So many rejected events."""
    await asyncio.gather(*(box.put(Message(b"%d" % one), MALFORMED) for one in range(COUNT)))


@pytest.mark.usefixtures("full")
async def test_each_of_two_lists_shows_everything(
    rejected: RejectedQueue, other: RejectedQueue
) -> None:
    """The second waits for the first."""
    found = await asyncio.gather(rejected.list(COUNT), other.list(COUNT))
    assert [len(one) for one in found] == [COUNT, COUNT]


@pytest.mark.usefixtures("full")
async def test_a_replay_of_all_waits_for_a_list(
    rejected: RejectedQueue, other: RejectedQueue, topology: Topology, amqp_url: str
) -> None:
    """And the list sees all or none; nothing stays behind unsaid."""
    found, done = await asyncio.gather(rejected.list(COUNT), other.replay(None))
    assert len(found) in {COUNT, 0}
    assert done == COUNT
    await amqp.depth_becomes(amqp_url, topology.rejected_queue, 0)
    await amqp.depth_becomes(amqp_url, topology.events_queue, COUNT)


LOOKS: dict[str, Callable[[RejectedQueue], Awaitable[object]]] = {
    "list": lambda queue: queue.list(COUNT),
    "find": lambda queue: queue.find("rej_0"),
    "missing": lambda queue: queue.missing(["rej_0"]),
    "replay": lambda queue: queue.replay(None),
    "discard": lambda queue: queue.discard(["rej_0"]),
}


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("how", LOOKS)
async def test_whoever_can_see_a_part_only_says_so_and_changes_nothing(
    publisher: Publisher, topology: Topology, amqp_url: str, how: str
) -> None:
    """While another program holds a message. Fails before: a part was taken for all."""
    async with await aio_pika.connect(amqp_url) as connection:
        queue = await (await connection.channel()).get_queue(topology.rejected_queue, ensure=False)
        await queue.get()
        with pytest.raises(QueueInUse, match="try again"):
            await LOOKS[how](RejectedQueue(publisher, topology, wait_s=0.2))
    await amqp.depth_becomes(amqp_url, topology.rejected_queue, COUNT)


class Interrupted(aio_pika.Connection):
    """A connection whose holder is overtaken by another reader before its second channel."""

    overtaken: Callable[[], Awaitable[object]]
    opened = 0

    async def channel(  # type: ignore[override]  # awaited by whoever calls it, too
        self, *args: Any, **how: Any
    ) -> AbstractChannel:
        """Open one."""
        self.opened += 1
        if self.opened == 2:
            await self.overtaken()
        return await super().channel(*args, **how)


@pytest.mark.usefixtures("full")
async def test_what_is_taken_after_it_was_counted_is_noticed(
    topology: Topology, amqp_url: str
) -> None:
    """By a reader who does not ask for the right. Fails before: the rest was taken for all."""
    queue, seen = topology.rejected_queue, 0

    def look(_message: object) -> None:
        nonlocal seen
        seen += 1

    async with amqp.channel(amqp_url) as elsewhere:
        taken = await elsewhere.get_queue(queue, ensure=False)
        async with await aio_pika.connect(amqp_url, connection_class=Interrupted) as mine:
            assert isinstance(mine, Interrupted)
            mine.overtaken = taken.get
            with pytest.raises(QueueInUse, match="only a part"):
                async with browsed(mine, queue, look):
                    raise AssertionError("a part was shown")
    assert seen == COUNT - 1
    await amqp.depth_becomes(amqp_url, queue, COUNT)


async def test_the_right_goes_with_whoever_had_it(
    publisher: Publisher, topology: Topology, amqp_url: str
) -> None:
    """A command that was killed keeps nobody out; one that runs does, and says so."""
    queue, mine = topology.rejected_queue, await publisher.connection()
    theirs = await open_connection(amqp_url, "killed")
    async with AsyncExitStack() as killed:
        await killed.enter_async_context(sole_reader(theirs, queue))
        with pytest.raises(QueueInUse, match="try again"):
            async with sole_reader(mine, queue, wait_s=0.2):
                raise AssertionError("there were two")
        await theirs.close()
        async with sole_reader(mine, queue):
            assert await depth(mine, queue) == 0
