"""What commands begin with that speak to the broker. The others need not wait for its client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.adapters.broker.topology import Topology
from disconnect_fanout.app.settings import Settings
from disconnect_fanout.app.topology import topology_of


@asynccontextmanager
async def publishing(settings: Settings, name: str) -> AsyncIterator[tuple[Publisher, Topology]]:
    """Connect to the broker.

    Args:
        settings: name the broker.
        name: what the broker's list of connections shows.

    Raises:
        BrokerUnreachable: it does not answer.
    """
    topology = topology_of(settings)
    publisher = Publisher(settings.amqp_url.get_secret_value(), topology, name)
    try:
        await publisher.start()
        yield publisher, topology
    finally:
        await publisher.close()
