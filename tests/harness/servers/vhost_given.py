"""A RabbitMQ that somebody else runs (``TEST_AMQP_URL``): names of its own for each test."""

import secrets

from tests.harness.servers.amqp import channel
from tests.harness.servers.vhost import Vhost


class GivenRabbitMQ:
    """A broker whose vhosts are not ours to make, so tests are told apart by their prefix.

    Args:
        url: The AMQP URL, of a user who may configure, write and read.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._used: list[Vhost] = []

    async def fresh(self) -> Vhost:
        """Return names that nobody had before."""
        name = f"test-{secrets.token_hex(4)}"
        vhost = Vhost(self._url, prefix=name, exchange=f"{name}.events")
        self._used.append(vhost)
        return vhost

    async def remove_all(self) -> None:
        """Delete what workers declared under these names."""
        async with channel(self._url) as open_channel:
            for vhost in self._used:
                for queue in ("events", "dead", "rejected"):
                    await open_channel.queue_delete(vhost.queue(queue))
                await open_channel.exchange_delete(vhost.exchange)
