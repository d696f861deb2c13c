"""Publishing: persistent, mandatory, confirmed, timed, on a connection of its own.

A connection of its own, because a broker under a memory or disk alarm blocks publishers: consuming
and acking must go on meanwhile.
"""

import asyncio
from collections.abc import Callable, Mapping
from weakref import WeakValueDictionary

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import (
    ChannelInvalidStateError,
    ChannelNotFoundEntity,
    DeliveryError,
    PublishError,
)

from disconnect_fanout.adapters.broker.connection import (
    close_channel,
    close_connection,
    is_open,
    named_errors,
    open_channel,
    open_connection,
)
from disconnect_fanout.adapters.broker.topology import Topology, declare
from disconnect_fanout.adapters.broker.topology_conflict import TopologyConflict
from disconnect_fanout.domain.event import EVENT_TYPE
from disconnect_fanout.domain.identity import webhook_event_id
from disconnect_fanout.flow.outage import BrokerUnreachable

CONFIRM_TIMEOUT_S = 10.0
"""Without a confirm by then the publish is ambiguous: it may still arrive (an alarm, measured)."""

_LONGEST_PROPERTY = 255
_IN_FLIGHT = 100  # unconfirmed publishes at once: pipelining, without flooding a slow broker


Restored = Callable[[tuple[str, ...], tuple[str, ...]], None]


class _Returned(Exception):
    """It routes nowhere, or the channel ended before it was sent: once more, after mending.

    Attributes:
        unbound: the exchange is there, and led to no queue.
    """

    def __init__(self, *, unbound: bool) -> None:
        super().__init__()
        self.unbound = unbound


class Publisher:
    """Publishes, reconnecting when asked to publish after a loss.

    Args:
        restored: takes what was missing and was put back, and the keys of bindings among it.
    """

    def __init__(
        self,
        url: str,
        topology: Topology,
        name: str = "fanout publisher",
        confirm_timeout_s: float = CONFIRM_TIMEOUT_S,
        restored: Restored | None = None,
    ) -> None:
        self._url = url
        self._topology = topology
        self._name = name
        self._confirm_timeout_s = confirm_timeout_s
        self._restored = restored
        self._opening = asyncio.Lock()
        self._mending = asyncio.Lock()
        self._mended = 0
        self._places = asyncio.Semaphore(_IN_FLIGHT)
        self._turns: WeakValueDictionary[str | None, asyncio.Lock] = WeakValueDictionary()
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._opened_at = 0.0
        self._retired: AbstractChannel | None = None

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
        # A property holds 255 bytes, an id may take more; the one that counts is in the body.
        fits = len(event_id.encode()) <= _LONGEST_PROPERTY
        message = _message(body, event_id if fits else webhook_event_id(event_id), {})
        await self._publish(self._topology.exchange, EVENT_TYPE, message)

    async def publish_to(
        self,
        queue: str,
        body: bytes,
        message_id: str | None,
        headers: Mapping[str, str | int],
        content_type: str | None = "application/json",
        *,
        content_encoding: str | None = None,
        kind: str | None = None,
    ) -> None:
        """Publish straight into one of our queues; ``kind`` is the property ``type``.

        Raises:
            BrokerUnreachable: not confirmed.
        """
        message = _message(body, message_id, headers, content_type)
        message.content_encoding, message.type = content_encoding, kind
        await self._publish("", queue, message)

    async def connection(self) -> AbstractConnection:
        """Return the open connection, for a channel of another kind.

        Raises:
            BrokerUnreachable: the broker does not answer.
        """
        async with self._opening:
            return await self._connected()

    async def close(self) -> None:
        """Close; what was not confirmed stays ambiguous."""
        if self._connection is not None:
            await close_connection(self._connection)

    async def _publish(self, exchange: str, key: str, message: Message) -> None:
        async with self._places, self._turn(message.message_id):
            mended = self._mended
            try:
                await self._send(exchange, key, message)
            except _Returned as returned:
                await self._mend(mended, (key,) if exchange and returned.unbound else ())
                await self._send_or_say(exchange, key, message)

    def _turn(self, message_id: str | None) -> asyncio.Lock:
        """One at a time for each id: by it aiormq tells whose message it is that came back."""
        turn = self._turns.get(message_id) if message_id else None
        if turn is None:
            turn = self._turns[message_id] = asyncio.Lock()
        return turn

    async def _mend(self, mended: int, keys: tuple[str, ...]) -> None:
        """Put back a queue, a binding or an exchange that is missing, once for all who miss it.

        Raises:
            BrokerUnreachable: no answer, or it can't be put back; says the way out.
        """
        async with self._mending:
            if self._mended != mended:
                return
            try:
                made = await declare(await self.connection(), self._topology)
            except TopologyConflict as error:
                raise BrokerUnreachable(str(error)) from error
            self._mended += 1
            if self._restored is not None:
                self._restored(made, keys)

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
            _Returned: no queue took it, or there is no such exchange.
            BrokerUnreachable: refused, or not confirmed in time.
        """
        channel = await self._ready()
        async with named_errors():
            target = channel.default_exchange
            if exchange:
                target = await channel.get_exchange(exchange, ensure=False)
            try:
                await target.publish(message, key, mandatory=True, timeout=self._confirm_timeout_s)
            except (PublishError, ChannelNotFoundEntity, ChannelInvalidStateError) as error:
                raise _Returned(unbound=isinstance(error, PublishError)) from None
            except DeliveryError as error:
                await self._retire(channel)
                raise BrokerUnreachable("the queue refused the message; is it full?") from error

    async def _ready(self) -> AbstractChannel:
        async with self._opening:
            connection = await self._connected()
            if self._channel is None or self._channel.is_closed:
                self._channel = await open_channel(connection, confirms=True)
                self._opened_at = asyncio.get_running_loop().time()
            return self._channel

    async def _retire(self, channel: AbstractChannel) -> None:
        """Take another channel next time: one that a full queue refused is refused for ever.

        (Once an operator has raised the limit; measured on 3.10.) Not for each refusal, because
        the queue takes one message too many from each new channel; and the old one is closed only
        when nothing can wait for a confirm on it any more.
        """
        age_s = asyncio.get_running_loop().time() - self._opened_at
        if channel is self._channel and age_s > 2 * self._confirm_timeout_s:
            before, self._retired, self._channel = self._retired, channel, None
            if before is not None:
                await close_channel(before)

    async def _connected(self) -> AbstractConnection:
        """Return the connection, a new one if the old one ended."""
        if self._connection is None or not is_open(self._connection):
            if self._connection is not None:
                await close_connection(self._connection)
            self._channel = None
            self._connection = await open_connection(self._url, self._name)
        return self._connection


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
