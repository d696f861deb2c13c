"""Connections to RabbitMQ, and the one place where the client's errors get a name.

Plain connections on purpose: who holds one sees it end, and decides what to do then. (A robust one
reconnects behind its holder's back, and may come back without its consumer.)
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError
from pamqp.exceptions import PAMQPException

from disconnect_fanout.flow.outage import BrokerUnreachable

CONNECT_TIMEOUT_S = 10.0


async def open_connection(url: str, name: str) -> AbstractConnection:
    """Connect.

    Args:
        url: ``amqp://user:password@host:port/vhost``.
        name: what the broker's list of connections shows.

    Raises:
        BrokerUnreachable: refused, timed out, or the user may not enter the vhost.
    """
    async with named_errors():
        return await aio_pika.connect(
            url,
            timeout=CONNECT_TIMEOUT_S,
            client_properties={"connection_name": name},
        )


@asynccontextmanager
async def named_errors() -> AsyncIterator[None]:
    """Map what the client raises when the broker fails it to ``BrokerUnreachable``.

    A frozen broker makes aiormq raise ``CancelledError`` (measured), which is a cancellation of
    ours only if somebody asked for one.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise BrokerUnreachable("the connection was given up: no heartbeat") from error
    except (AMQPError, PAMQPException, ChannelInvalidStateError, OSError, TimeoutError) as error:
        raise BrokerUnreachable(_words(error)) from error


def _words(error: BaseException) -> str:
    """The error's kind and first line; aiormq puts no credentials into either."""
    line = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {line}"[:300]
