"""``fanout.dead``: one message for each open dead letter, for everyone who watches RabbitMQ."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from aiormq.abc import DeliveredMessage

from disconnect_fanout.adapters.broker.browse import depth
from disconnect_fanout.adapters.broker.codec import encode_letter
from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.adapters.broker.purge import purge
from disconnect_fanout.domain.dead_letter import DeadLetter
from disconnect_fanout.flow.letters import LetterKey

_REPLAYS = "fanout-replays"
_DELIVERY = "wh_del_"


class AmqpLetterQueue:
    """The flow's ``LetterQueue``, on RabbitMQ."""

    def __init__(self, publisher: Publisher, queue: str) -> None:
        self._publisher = publisher
        self._queue = queue

    async def publish(self, letter: DeadLetter) -> None:
        """Publish with confirm; the message id is the delivery's, headers name no user."""
        headers = {_REPLAYS: letter.replays, "fanout-reason": letter.reason.value}
        body = encode_letter(letter)
        await self._publisher.publish_to(self._queue, body, letter.delivery_id, headers)

    async def depth(self) -> int:
        """Return how many messages are ready."""
        return await depth(await self._publisher.connection(), self._queue)

    async def purge(
        self, select_stale: Callable[[Sequence[LetterKey | None]], Awaitable[Collection[int]]]
    ) -> None:
        """Show every message to ``select_stale`` and ack those that it selects."""

        async def keys(messages: Sequence[DeliveredMessage]) -> Collection[int]:
            return await select_stale([_key(message) for message in messages])

        await purge(await self._publisher.connection(), self._queue, keys)


def _key(message: DeliveredMessage) -> LetterKey | None:
    properties = message.header.properties
    name, replays = properties.message_id or "", (properties.headers or {}).get(_REPLAYS)
    if not name.startswith(_DELIVERY) or not isinstance(replays, int):
        return None
    return LetterKey(name, replays)
