"""Looking through a queue without consuming it: what was not acked goes back, in its old order.

In windows, so that memory holds a window of bodies and not a queue of them. (A prefetch of 0 means
2,000 on a quorum queue.) Each window is a consumer of its own, and its messages go back when the
channel closes. A quorum queue returns them consumer by consumer, in the order of their tags as long
as there are no more than 32; by single nacks they would come back shuffled, and who stops early
moves what he saw behind the rest. (All measured on 3.10.) The queues that are browsed have a
delivery limit that no browsing reaches.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from itertools import count

from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import ChannelNotFoundEntity

from disconnect_fanout.adapters.broker.connection import (
    ANSWER_TIMEOUT_S,
    a_channel,
    named_errors,
)
from disconnect_fanout.flow.outage import BrokerUnreachable

_MOST_WINDOWS = 32
_QUIET_S = 2.0  # somebody else is browsing and holds what we counted
_LOOK_AGAIN_S = 0.01


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


async def browse(
    connection: AbstractConnection, queue: str, window: int
) -> AsyncGenerator[list[AbstractIncomingMessage], None]:
    """Yield the messages that are there now, a window at a time; ack those that should go.

    Args:
        connection: an open one.
        queue: whose messages.
        window: so many at a time, or more if the queue is longer than 32 of them.

    Raises:
        BrokerUnreachable: the broker went away; what was not acked is still there.
    """
    left = await depth(connection, queue)
    window = max(window, -(-left // _MOST_WINDOWS))
    held = 0
    try:
        async with a_channel(connection) as channel:
            source = await channel.get_queue(queue, ensure=False)
            for number in count():
                found = await _window(source, f"browse-{number:02}", min(window, left))
                if not found:
                    return
                left -= len(found)
                held += len(found)
                yield found
                held -= sum(one.processed for one in found)
    finally:
        await wait_back(connection, queue, held)


async def wait_back(connection: AbstractConnection, queue: str, held: int) -> None:
    """Wait until the queue has what we gave back, so that the next look sees all of it."""
    with suppress(BrokerUnreachable, TimeoutError):
        async with asyncio.timeout(_QUIET_S):
            while held and await depth(connection, queue) < held:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(_LOOK_AGAIN_S)


async def _window(source: AbstractQueue, tag: str, most: int) -> list[AbstractIncomingMessage]:
    found: list[AbstractIncomingMessage] = []
    if most == 0:
        return found
    arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    async with named_errors():
        await source.channel.set_qos(prefetch_count=most, timeout=ANSWER_TIMEOUT_S)
        await source.consume(arrived.put, consumer_tag=tag, timeout=ANSWER_TIMEOUT_S)
        with suppress(TimeoutError):
            while len(found) < most:
                found.append(await asyncio.wait_for(arrived.get(), _QUIET_S))
        await source.cancel(tag, timeout=ANSWER_TIMEOUT_S)  # or says that the channel is gone
    return found
