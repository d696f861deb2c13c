"""A subscription: one consumer on one connection, from attached to given up."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.abc import DeliveredMessage

from disconnect_fanout.adapters.broker.connection import (
    ANSWER_TIMEOUT_S,
    a_channel,
    close_channel,
    close_connection,
    named_errors,
    open_channel,
    open_connection,
)
from disconnect_fanout.flow.outage import BrokerUnreachable
from disconnect_fanout.flow.supervision.ending import ended as all_ended

_CHECK_EVERY_S = 3.0
_LOOK_WITHIN_S = 1.0  # so that what somebody has deleted is back within 5 s

Prepare: TypeAlias = Callable[[AbstractConnection], Awaitable[object]]
Look: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
Take: TypeAlias = Callable[[DeliveredMessage], Coroutine[Any, Any, None]]


class Subscription:
    """The broker sends us messages. Made by ``subscribe``."""

    def __init__(
        self,
        connection: AbstractConnection,
        channel: AbstractChannel,
        queue: str,
        prepare: Prepare,
        look: Look,
    ) -> None:
        self._prepare = prepare
        self._look = look
        self._connection = connection
        self._channel = channel
        self._queue = queue
        self._tag = ""
        self._dropped = asyncio.Event()

    async def attach(self, prefetch: int, take: Take) -> None:
        """Start to consume.

        aiormq's own callback, not aio-pika's: that one takes a task more for each message, and is
        still on its way to us when the broker has confirmed a cancel.

        Raises:
            BrokerUnreachable: no answer, or no such queue.
        """
        async with named_errors(), asyncio.timeout(ANSWER_TIMEOUT_S):
            await self._channel.set_qos(prefetch_count=prefetch)
            wire = await self._channel.get_underlay_channel()
            wire.on_consumer_cancel_callbacks.add(self._on_drop)
            self._tag = (await wire.basic_consume(self._queue, take)).consumer_tag or ""

    async def stands(self) -> None:
        """Watch it for as long as it stands.

        Raises:
            BrokerUnreachable: always, in the end: the connection ended or the consumer is gone.
        """
        ended = asyncio.ensure_future(self._channel.closed())
        dropped = asyncio.create_task(self._dropped.wait())
        try:
            while True:
                await asyncio.wait(
                    {ended, dropped},
                    timeout=_CHECK_EVERY_S,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                await self._look_until(ended, dropped)
                if ended.done():
                    raise BrokerUnreachable("the connection ended")
                if dropped.done() or not await self._consumers():
                    raise BrokerUnreachable("the broker dropped the consumer")
                await self._prepare(self._connection)  # a binding may have been deleted
        finally:
            ended.cancel()
            dropped.cancel()

    async def _look_until(self, *ends: asyncio.Future[Any]) -> None:
        """Look at what ``prepare`` is about to put back; never longer than a moment."""
        look = asyncio.create_task(self._look())
        try:
            await asyncio.wait(
                {look, *ends}, timeout=_LOOK_WITHIN_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            await all_ended([look], _LOOK_WITHIN_S)

    async def cancel(self) -> None:
        """Take no more messages; those that have come stay ours until acked.

        Raises:
            BrokerUnreachable: the broker does not answer.
        """
        async with named_errors():
            wire = await self._channel.get_underlay_channel()
            await wire.basic_cancel(self._tag, timeout=ANSWER_TIMEOUT_S)

    async def close(self) -> None:
        """Let the broker see our acks, and have back what was not acked."""
        await close_channel(self._channel)
        await close_connection(self._connection)

    async def _consumers(self) -> int:
        """Ask on another channel: an RPC that is cut short would take ours along (aiormq)."""
        async with a_channel(self._connection) as channel, named_errors():
            found = await channel.declare_queue(self._queue, passive=True, timeout=ANSWER_TIMEOUT_S)
            return found.declaration_result.consumer_count or 0

    def _on_drop(self, _frame: object) -> None:
        """The queue was deleted, or its node is leaving."""
        self._dropped.set()


async def subscribe(
    url: str, queue: str, prefetch: int, take: Take, *, prepare: Prepare, look: Look
) -> Subscription:
    """Connect, declare what is missing, and consume.

    Raises:
        BrokerUnreachable: one of these failed; nothing is left open.
    """
    connection = await open_connection(url, "fanout consumer")
    try:
        await prepare(connection)
        channel = await open_channel(connection)
        subscription = Subscription(connection, channel, queue, prepare, look)
        await subscription.attach(prefetch, take)
    except BaseException:
        await close_connection(connection)
        raise
    return subscription
