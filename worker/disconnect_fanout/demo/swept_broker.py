"""The demo's names at the broker, taken away again: the broker may be the user's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from disconnect_fanout.adapters.broker.connection import named_errors, open_connection
from disconnect_fanout.adapters.broker.topology import Topology


@asynccontextmanager
async def swept(url: str, topology: Topology) -> AsyncIterator[None]:
    """Delete the topology's queues and its exchange in the end.

    Raises:
        BrokerUnreachable: the broker went away, and the names stay.
    """
    try:
        yield
    finally:
        async with named_errors(), await open_connection(url, "fanout demo") as connection:
            channel = await connection.channel()
            for queue in topology.queues:
                await channel.queue_delete(queue)
            await channel.exchange_delete(topology.exchange)
