"""Looking through a queue without consuming it: what was not acked goes back, in its old order.

Memory holds one message, whatever the queue's length: each is looked at as it comes and let go of,
and the broker holds it until the channel closes. Whose body is needed after all is given back and
taken again (``again``), a few at a time.

A quorum queue returns messages consumer by consumer, in the order of their tags as long as there
are no more than 32; by single nacks they would come back shuffled, and so would those of basic.get,
each of which is a consumer to the queue; who stops early moves what he saw behind the rest. A
prefetch has 16 bits, and 0 means 2,000; a consumer begun again under its old tag ends the
connection. (All measured on 3.10.) So there is one consumer for tens of thousands of messages. The
queues that are browsed have a delivery limit that no browsing reaches.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count

from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity
from aiormq.abc import AbstractChannel, DeliveredMessage

from disconnect_fanout.adapters.broker.connection import (
    ANSWER_TIMEOUT_S,
    a_channel,
    named_errors,
)
from disconnect_fanout.adapters.broker.queue_in_use import QueueInUse
from disconnect_fanout.flow.outage import BrokerUnreachable

_MOST_AT_ONCE = 60_000
_QUIET_S = 2.0  # somebody else is browsing and holds what we counted
_LOOK_AGAIN_S = 0.01


class Held:
    """What a channel holds of a queue until it closes.

    Attributes:
        count: how many messages; those that were acked are none of them.
    """

    def __init__(self, wire: AbstractChannel, queue: str) -> None:
        self._wire = wire
        self._queue = queue
        self._names = count()
        self.count = 0

    async def ack(self, tag: int) -> None:
        """Remove a message for good."""
        async with named_errors():
            await self._wire.basic_ack(tag)
        self.count -= 1

    async def again(self, tags: Sequence[int]) -> list[DeliveredMessage]:
        """Give these messages back and return them anew, with bodies, in whatever order.

        Nobody else's turn is between: a queue hands out first what came back. What else comes is
        returned with them, and is held as they are.
        """
        async with named_errors():
            for tag in tags:
                await self._wire.basic_nack(tag, requeue=True)
        self.count -= len(tags)
        found: list[DeliveredMessage] = []
        await self.take(len(tags), found.append)
        return found

    async def take(self, most: int, look: Callable[[DeliveredMessage], None]) -> int:
        """Take the next messages, show each and hold it; return how many came."""
        if most == 0:
            return 0
        number = 0
        came = asyncio.Event()

        async def show(message: DeliveredMessage) -> None:
            nonlocal number
            look(message)
            number += 1
            came.set()

        tag = f"browse-{next(self._names):06}"
        async with named_errors():
            await self._wire.basic_qos(prefetch_count=most, timeout=ANSWER_TIMEOUT_S)
            await self._wire.basic_consume(
                self._queue, show, consumer_tag=tag, timeout=ANSWER_TIMEOUT_S
            )
            with suppress(TimeoutError):
                while number < most:
                    came.clear()
                    await asyncio.wait_for(came.wait(), _QUIET_S)
            # It also says so if the channel is gone.
            await self._wire.basic_cancel(tag, timeout=ANSWER_TIMEOUT_S)
        self.count += number
        return number


async def depth(connection: AbstractConnection, queue: str) -> int:
    """Return how many messages are ready.

    Raises:
        BrokerUnreachable: no answer, or no such queue.
    """
    async with a_channel(connection) as channel, named_errors():
        try:
            found = await channel.declare_queue(queue, passive=True, timeout=ANSWER_TIMEOUT_S)
        except ChannelNotFoundEntity:
            raise BrokerUnreachable(f"there is no queue {queue!r}; run: fanout migrate") from None
        return found.declaration_result.message_count or 0


@asynccontextmanager
async def browsed(
    connection: AbstractConnection, queue: str, look: Callable[[DeliveredMessage], None]
) -> AsyncIterator[Held]:
    """Show all messages that are there now, each once, and hold them until this is over.

    Args:
        connection: an open one.
        queue: whose messages.
        look: shown each; may keep what it likes of it, and should not keep its body.

    Raises:
        QueueInUse: somebody else has taken some of them before us.
        BrokerUnreachable: the broker went away; what was not acked is still there.
    """
    left = await depth(connection, queue)
    held: Held | None = None
    try:
        async with a_channel(connection) as channel:
            held = Held(await channel.get_underlay_channel(), queue)
            while taken := await held.take(min(left, _MOST_AT_ONCE), look):
                left -= taken
            if left > 0:
                raise QueueInUse(
                    f"somebody else has taken messages of {queue} meanwhile: only a part of it "
                    "was seen. Nothing was changed; try again"
                )
            yield held
    finally:
        await wait_back(connection, queue, 0 if held is None else held.count)


async def wait_back(connection: AbstractConnection, queue: str, held: int) -> None:
    """Wait until the queue has what we gave back, so that the next look sees all of it."""
    with suppress(BrokerUnreachable, TimeoutError):
        async with asyncio.timeout(_QUIET_S):
            while held and await depth(connection, queue) < held:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(_LOOK_AGAIN_S)
