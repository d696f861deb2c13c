"""How many messages wait in a queue, asked by the publisher's connection."""

from disconnect_fanout.adapters.broker.browse import depth
from disconnect_fanout.adapters.broker.publisher import Publisher


class QueueDepth:
    """The flow's ``EventQueue``, on RabbitMQ."""

    def __init__(self, publisher: Publisher, queue: str) -> None:
        self._publisher = publisher
        self._queue = queue

    async def depth(self) -> int:
        """Return how many messages are ready.

        Raises:
            BrokerUnreachable: no answer, or no such queue.
        """
        return await depth(await self._publisher.connection(), self._queue)
