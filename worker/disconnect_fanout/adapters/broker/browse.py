"""Looking through a queue without consuming it: what was not acked goes back, in its old order.

In windows, so that memory holds one window of bodies however long the queue is (a prefetch of 0
means 2,000 on a quorum queue, measured). Each message goes back by a nack of its own, in order: a
channel that just closes returns its windows shuffled (measured on 3.10). The queues that are
browsed have a delivery limit that no browsing reaches.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity

from disconnect_fanout.adapters.broker.connection import (
    ANSWER_TIMEOUT_S,
    a_channel,
    named_errors,
)
from disconnect_fanout.flow.outage import BrokerUnreachable

_QUIET_S = 2.0  # somebody else is browsing and holds what we counted


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

    Raises:
        BrokerUnreachable: the broker went away; what was not acked is still there.
    """
    left = await depth(connection, queue)
    held: list[int] = []
    async with a_channel(connection) as channel:
        try:
            while left > 0 and (found := await _window(channel, queue, min(window, left))):
                left -= len(found)
                try:
                    yield found
                finally:
                    held += [one.delivery_tag or 0 for one in found if not one.processed]
        finally:
            await _give_back(channel, held)


async def _window(channel: AbstractChannel, queue: str, most: int) -> list[AbstractIncomingMessage]:
    async with named_errors():
        await channel.set_qos(prefetch_count=most, timeout=ANSWER_TIMEOUT_S)
        source = await channel.get_queue(queue, ensure=False)
        arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        tag = await source.consume(arrived.put, timeout=ANSWER_TIMEOUT_S)
        found: list[AbstractIncomingMessage] = []
        with suppress(TimeoutError):
            while len(found) < most:
                found.append(await asyncio.wait_for(arrived.get(), _QUIET_S))
        await source.cancel(tag, timeout=ANSWER_TIMEOUT_S)  # or says that the channel is gone
        return found


async def _give_back(channel: AbstractChannel, tags: Sequence[int]) -> None:
    """Return messages; on a channel that is gone the broker has done it already."""
    with suppress(BrokerUnreachable):
        async with named_errors(), asyncio.timeout(ANSWER_TIMEOUT_S):
            wire = await channel.get_underlay_channel()
            for tag in tags:
                await wire.basic_nack(tag, requeue=True, wait=False)
