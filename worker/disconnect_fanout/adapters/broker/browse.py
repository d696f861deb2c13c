"""Looking through a queue without consuming it: what is not acked returns when the channel closes.

The queues that are browsed have a delivery limit that no browsing reaches, and a quorum queue puts
returned messages back where they were.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity

from disconnect_fanout.adapters.broker.connection import named_errors
from disconnect_fanout.flow.outage import BrokerUnreachable

_QUIET_S = 2.0  # somebody else is browsing and holds what we counted


async def depth(connection: AbstractConnection, queue: str) -> int:
    """Return how many messages are ready.

    Raises:
        BrokerUnreachable: no answer, or no such queue.
    """
    async with named_errors(), _one_channel(connection) as channel:
        try:
            found = await channel.declare_queue(queue, passive=True)
        except ChannelNotFoundEntity:
            raise BrokerUnreachable(f"there is no queue {queue!r}; run: fanout migrate") from None
        return found.declaration_result.message_count or 0


async def browse(
    connection: AbstractConnection, queue: str, batch: int = 500
) -> AsyncGenerator[list[AbstractIncomingMessage], None]:
    """Yield the messages that are there now, in batches; ack those that should go.

    Raises:
        BrokerUnreachable: the broker went away; what was not acked is still there.
    """
    left = await depth(connection, queue)
    async with named_errors(), _one_channel(connection) as channel:
        await channel.set_qos(prefetch_count=0)
        arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        source = await channel.get_queue(queue, ensure=False)
        if left:
            await source.consume(arrived.put)
        while left > 0:
            found = await _take(arrived, min(batch, left))
            if not found:
                return
            left -= len(found)
            yield found


async def _take(
    arrived: "asyncio.Queue[AbstractIncomingMessage]", most: int
) -> list[AbstractIncomingMessage]:
    found: list[AbstractIncomingMessage] = []
    try:
        async with asyncio.timeout(_QUIET_S):
            while len(found) < most:
                found.append(await arrived.get())
    except TimeoutError:
        pass
    return found


@asynccontextmanager
async def _one_channel(connection: AbstractConnection) -> AsyncIterator[AbstractChannel]:
    channel = await connection.channel()
    try:
        yield channel
    finally:
        if not channel.is_closed:
            await channel.close()
