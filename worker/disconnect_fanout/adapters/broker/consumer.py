"""The consumer: takes messages from ``fanout.events`` and hands each to a task that outlives it.

A lost connection cancels every consumer callback (measured), so the callback only creates a task.
Such work survives the loss; its ack then fails, and the redelivery is recognised by its rows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter

from disconnect_fanout.adapters.broker.amqp_message import AmqpMessage
from disconnect_fanout.adapters.broker.connection import named_errors, open_connection
from disconnect_fanout.flow.fact import DependencyChanged, Observe
from disconnect_fanout.flow.held_tasks import HeldTasks
from disconnect_fanout.flow.outage import BrokerUnreachable, StoreUnreachable

_SHORTEST_BACKOFF_S = 0.2
_LONGEST_BACKOFF_S = 5.0
_CHECK_EVERY_S = 10.0


class Consumer:
    """Consumes while ``may_consume`` says so, and again after every loss.

    Args:
        handle: takes one message to its ack.
        may_consume: returns when there is a reason to consume (a platform, a database).
        prepare: declares what is to be consumed, on each new connection.
    """

    def __init__(
        self,
        *,
        url: str,
        queue: str,
        prefetch: int,
        handle: Callable[[AmqpMessage], Awaitable[None]],
        may_consume: Callable[[], Awaitable[None]],
        prepare: Callable[[AbstractConnection], Awaitable[None]],
        observe: Observe,
        on_crash: Callable[[BaseException], None],
    ) -> None:
        self._url = url
        self._queue_name = queue
        self._prefetch = prefetch
        self._handle = handle
        self._may_consume = may_consume
        self._prepare = prepare
        self._observe = observe
        self._handling = HeldTasks(on_crash)
        self._let_go = asyncio.Event()  # of the session under way
        self._stopping = asyncio.Event()
        self._attached = False

    @property
    def attached(self) -> bool:
        """Whether the broker sends us messages."""
        return self._attached

    async def run(self) -> None:
        """Consume until ``stop``."""
        while not self._stopping.is_set():
            await self._may_consume()
            connection = await self._connect()
            try:
                await self._consume(connection)
            except BrokerUnreachable as error:
                self._observe(DependencyChanged("broker", reachable=False, detail=str(error)))
                await asyncio.sleep(_SHORTEST_BACKOFF_S)
            finally:
                self._attached = False
                await _close(connection)

    def let_go(self) -> None:
        """Give everything back to the broker and ask ``may_consume`` again."""
        self._let_go.set()

    async def stop(self) -> None:
        """Take no more messages; return when those in hand are done."""
        self._stopping.set()
        self._let_go.set()
        await self._handling.finish()

    async def _connect(self) -> AbstractConnection:
        """Connect, however long it takes."""
        try:
            return await open_connection(self._url, "fanout consumer")
        except BrokerUnreachable as error:
            self._observe(DependencyChanged("broker", reachable=False, detail=str(error)))
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(BrokerUnreachable),
            wait=wait_exponential_jitter(_SHORTEST_BACKOFF_S, max=_LONGEST_BACKOFF_S),
        ):
            with attempt:
                connection = await open_connection(self._url, "fanout consumer")
        self._observe(DependencyChanged("broker", reachable=True))
        return connection

    async def _consume(self, connection: AbstractConnection) -> None:
        let_go = self._let_go = asyncio.Event()
        if self._stopping.is_set():
            return
        await self._prepare(connection)
        async with named_errors():
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=self._prefetch)
            queue = await channel.get_queue(self._queue_name, ensure=True)
            tag = await queue.consume(partial(self._take, let_go))
        self._attached = True
        await _until_let_go(let_go, channel, queue)
        self._attached = False
        if self._stopping.is_set():
            async with named_errors():
                await queue.cancel(tag)
            await self._handling.finish()

    async def _take(self, let_go: asyncio.Event, message: AbstractIncomingMessage) -> None:
        self._handling.start(self._work(let_go, AmqpMessage(message)))

    async def _work(self, let_go: asyncio.Event, message: AmqpMessage) -> None:
        """Handle one message; an outage makes us let go of all that we hold, once."""
        try:
            await self._handle(message)
        except (StoreUnreachable, BrokerUnreachable):
            let_go.set()


async def _until_let_go(
    let_go: asyncio.Event, channel: AbstractChannel, queue: AbstractQueue
) -> None:
    """Return when asked to.

    Raises:
        BrokerUnreachable: the channel ended, or the broker dropped our consumer.
    """
    asked = asyncio.create_task(let_go.wait())
    ended = asyncio.ensure_future(channel.closed())
    try:
        while not asked.done():
            await asyncio.wait(
                {asked, ended}, timeout=_CHECK_EVERY_S, return_when=asyncio.FIRST_COMPLETED
            )
            if ended.done():
                raise BrokerUnreachable("the connection ended")
            async with named_errors():
                found = await channel.declare_queue(queue.name, passive=True, timeout=10)
            if not found.declaration_result.consumer_count:
                raise BrokerUnreachable("the broker dropped the consumer")
    finally:
        asked.cancel()
        ended.cancel()


async def _close(connection: AbstractConnection) -> None:
    try:
        async with named_errors(), asyncio.timeout(5):
            await connection.close()
    except BrokerUnreachable:
        pass
