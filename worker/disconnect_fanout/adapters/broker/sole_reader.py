"""The right to look through a queue: whoever has it sees all of the queue.

What one reader holds, no other sees. A quorum queue takes an exclusive consumer beside another one
(measured on 3.10), so the right is an exclusive queue of its own name: it belongs to one
connection, and goes with it. Other programs know nothing of it; them the queue itself counts as
consumers for as long as they hold a message, even after they have cancelled (measured).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aio_pika.abc import AbstractConnection
from aiormq.exceptions import ChannelLockedResource
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from disconnect_fanout.adapters.broker.connection import (
    ANSWER_TIMEOUT_S,
    a_channel,
    named_errors,
)
from disconnect_fanout.adapters.broker.queue_in_use import QueueInUse
from disconnect_fanout.flow.outage import BrokerRefuses, BrokerUnreachable

WAIT_S = 5.0  # longer than most looks take
_LOOK_AGAIN_S = 0.1
_KIND = "classic"  # whatever the vhost's default is


@asynccontextmanager
async def sole_reader(
    connection: AbstractConnection, queue: str, *, wait_s: float = WAIT_S
) -> AsyncIterator[None]:
    """Be the only reader of a queue for a while.

    Raises:
        QueueInUse: another one was there all the time.
        BrokerUnreachable: no answer.
    """
    right = f"{queue}.reader"
    again = AsyncRetrying(
        retry=retry_if_exception_type(QueueInUse),
        wait=wait_fixed(_LOOK_AGAIN_S),
        stop=stop_after_delay(wait_s),
        reraise=True,
    )
    await again(_take, connection, right, queue)
    try:
        await again(_require_unread, connection, queue)
        yield
    finally:
        with suppress(BrokerUnreachable):  # it goes with the connection
            async with a_channel(connection) as channel, named_errors():
                await channel.queue_delete(right, timeout=ANSWER_TIMEOUT_S)


def another_reads(queue: str) -> QueueInUse:
    """Return the words for it."""
    return QueueInUse(
        f"somebody else holds messages of {queue}, perhaps another command: only a part of it "
        "can be seen. Nothing was changed; try again when that is over"
    )


async def _take(connection: AbstractConnection, right: str, queue: str) -> None:
    """A user who may make no queue goes without the right."""
    with suppress(BrokerRefuses):
        async with a_channel(connection) as channel, named_errors():
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    await channel.declare_queue(
                        right, exclusive=True, arguments={"x-queue-type": _KIND}
                    )
            except ChannelLockedResource:
                raise another_reads(queue) from None


async def _require_unread(connection: AbstractConnection, queue: str) -> None:
    async with a_channel(connection) as channel, named_errors():
        found = await channel.declare_queue(queue, passive=True, timeout=ANSWER_TIMEOUT_S)
        if found.declaration_result.consumer_count:
            raise another_reads(queue)
