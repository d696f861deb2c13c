"""Publishing: persistent, mandatory, confirmed, timed, on a connection of its own.

A connection of its own, because a broker under a memory or disk alarm blocks publishers: consuming
and acking must go on meanwhile.
"""

import asyncio
from collections.abc import Mapping

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import DeliveryError, PublishError

from disconnect_fanout.adapters.broker.connection import named_errors, open_connection
from disconnect_fanout.adapters.broker.topology import Topology, declare
from disconnect_fanout.domain.event import EVENT_TYPE
from disconnect_fanout.flow.outage import BrokerUnreachable

CONFIRM_TIMEOUT_S = 10.0
"""Without a confirm by then the publish is ambiguous: it may still arrive (an alarm, measured)."""

_IN_FLIGHT = 100  # unconfirmed publishes at once: pipelining, without flooding a slow broker


class _Returned(Exception):
    """The broker gave the message back: it routes nowhere."""


class Publisher:
    """Publishes, reconnecting when asked to publish after a loss."""

    def __init__(self, url: str, topology: Topology, name: str = "fanout publisher") -> None:
        self._url = url
        self._topology = topology
        self._name = name
        self._opening = asyncio.Lock()
        self._places = asyncio.Semaphore(_IN_FLIGHT)
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None

    async def start(self) -> None:
        """Connect now, so that a wrong URL is known now.

        Raises:
            BrokerUnreachable: the broker does not answer.
        """
        await self._ready()

    async def publish_event(self, body: bytes, event_id: str) -> None:
        """Publish an upstream event; an equal id is fanned out once.

        Raises:
            BrokerUnreachable: not confirmed.
        """
        message = _message(body, event_id, {})
        await self._publish(self._topology.exchange, EVENT_TYPE, message)

    async def publish_to(
        self,
        queue: str,
        body: bytes,
        message_id: str | None,
        headers: Mapping[str, str | int],
        content_type: str | None = "application/json",
    ) -> None:
        """Publish straight into one of our queues.

        Raises:
            BrokerUnreachable: not confirmed.
        """
        await self._publish("", queue, _message(body, message_id, headers, content_type))

    async def connection(self) -> AbstractConnection:
        """Return the open connection, for a channel of another kind.

        Raises:
            BrokerUnreachable: the broker does not answer.
        """
        await self._ready()
        assert self._connection is not None  # noqa: S101 - _ready made it
        return self._connection

    async def close(self) -> None:
        """Close; what was not confirmed stays ambiguous."""
        if self._connection is not None:
            async with named_errors():
                await self._connection.close()

    async def _publish(self, exchange: str, key: str, message: Message) -> None:
        async with self._places:
            try:
                await self._send(exchange, key, message)
            except _Returned:
                # A queue or binding is missing. Put it back, and try once more.
                await declare(await self.connection(), self._topology)
                await self._send_or_say(exchange, key, message)

    async def _send_or_say(self, exchange: str, key: str, message: Message) -> None:
        try:
            await self._send(exchange, key, message)
        except _Returned:
            raise BrokerUnreachable(
                f"no queue took a message for {key!r}; run: fanout migrate"
            ) from None

    async def _send(self, exchange: str, key: str, message: Message) -> None:
        """Publish once.

        Raises:
            _Returned: no queue took it.
            BrokerUnreachable: refused, or not confirmed in time.
        """
        channel = await self._ready()
        async with named_errors():
            target = channel.default_exchange
            if exchange:
                target = await channel.get_exchange(exchange, ensure=False)
            try:
                await target.publish(message, key, mandatory=True, timeout=CONFIRM_TIMEOUT_S)
            except PublishError:
                raise _Returned from None
            except DeliveryError as error:
                raise BrokerUnreachable("the queue refused the message; is it full?") from error

    async def _ready(self) -> AbstractChannel:
        async with self._opening:
            if self._connection is None or self._connection.is_closed:
                self._connection = await open_connection(self._url, self._name)
                self._channel = None
            if self._channel is None or self._channel.is_closed:
                async with named_errors():
                    self._channel = await self._connection.channel(
                        publisher_confirms=True, on_return_raises=True
                    )
            return self._channel


def _message(
    body: bytes,
    message_id: str | None,
    headers: Mapping[str, str | int],
    content_type: str | None = "application/json",
) -> Message:
    return Message(
        body,
        message_id=message_id,
        headers=dict(headers),
        content_type=content_type,
        delivery_mode=DeliveryMode.PERSISTENT,
        app_id="disconnect-fanout",
    )
