"""A message from the broker, with the ack handle that travels with it."""

import time
from collections.abc import Mapping
from contextlib import suppress

from aiormq.abc import DeliveredMessage

from disconnect_fanout.adapters.broker.connection import named_errors
from disconnect_fanout.flow.outage import BrokerUnreachable


class AmqpMessage:
    """The flow's ``Incoming``, on RabbitMQ."""

    __slots__ = ("_raw", "arrived_at")

    def __init__(self, raw: DeliveredMessage) -> None:
        self._raw = raw
        self.arrived_at = time.monotonic()

    @property
    def body(self) -> bytes:
        """As published."""
        return self._raw.body

    @property
    def content_type(self) -> str | None:
        """The message's property."""
        return self._raw.header.properties.content_type

    @property
    def content_encoding(self) -> str | None:
        """The message's property."""
        return self._raw.header.properties.content_encoding

    @property
    def kind(self) -> str | None:
        """The message's property ``type``."""
        return self._raw.header.properties.message_type

    @property
    def message_id(self) -> str | None:
        """The message's property."""
        return self._raw.header.properties.message_id

    @property
    def headers(self) -> Mapping[str, object]:
        """As published, and what the broker added."""
        return self._raw.header.properties.headers or {}

    async def ack(self) -> None:
        """Ack; on a channel that is gone there is nothing to ack, and the broker redelivers."""
        tag = self._raw.delivery_tag
        assert tag is not None  # noqa: S101 - consumed messages have one
        with suppress(BrokerUnreachable):
            async with named_errors():
                await self._raw.channel.basic_ack(tag)
