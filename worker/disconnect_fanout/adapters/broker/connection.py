"""Connections to RabbitMQ, and the one place where the client's errors get a name.

Plain connections on purpose: who holds one sees it end, and decides what to do then. (A robust one
reconnects behind its holder's back, and may come back without its consumer.)
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import (
    AMQPError,
    AuthenticationError,
    ChannelInvalidStateError,
    ProbableAuthenticationError,
)
from aiormq.exceptions import ChannelAccessRefused, InvalidFrameError
from pamqp.exceptions import PAMQPException

from disconnect_fanout.adapters.broker import tolerant_header
from disconnect_fanout.flow.outage import BrokerRefuses, BrokerUnreachable
from disconnect_fanout.policy.faults.own_fault import shortage_of
from disconnect_fanout.policy.wording.error_words import error_words

CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 10.0
"""A frozen broker keeps its connections open and answers nobody; so nothing waits for ever."""
_CLOSE_TIMEOUT_S = 5.0


class _Held(aio_pika.Connection):
    """Closed by whoever holds it.

    aio-pika's own lets the garbage collector begin to close one that never came about: where no
    loop runs at that moment, that is a coroutine which nobody awaits.
    """

    def __del__(self) -> None:
        """Leave it to its holder."""


async def open_connection(url: str, name: str) -> AbstractConnection:
    """Connect.

    Args:
        url: ``amqp://user:password@host:port/vhost``.
        name: what the broker's list of connections shows.

    Raises:
        BrokerRefuses: the user, the password or the vhost is wrong.
        BrokerUnreachable: nobody listens, or nobody answered in time.
    """
    tolerant_header.install()
    try:
        async with named_errors():
            return await aio_pika.connect(
                url,
                timeout=CONNECT_TIMEOUT_S,
                connection_class=_Held,
                client_properties={"connection_name": name},
            )
    except BrokerUnreachable as error:
        if isinstance(error.__cause__, InvalidFrameError):  # all that aiormq tells of it
            words = (
                "the broker refused the vhost: it does not exist, or is not this user's, "
                "or takes no more connections"
            )
            raise BrokerRefuses(words) from error
        raise


def is_open(connection: AbstractConnection) -> bool:
    """Tell whether it can be used; ``is_closed`` only tells whether *we* closed it (measured)."""
    return connection.transport is not None and connection.transport.connection.is_opened


async def open_channel(
    connection: AbstractConnection, *, confirms: bool = False
) -> AbstractChannel:
    """Open a channel; with ``confirms`` an unroutable publish raises on it.

    Raises:
        BrokerUnreachable: the connection ended, is blocked by an alarm, or nobody answers.
    """
    if not is_open(connection):
        raise BrokerUnreachable("the connection has ended")
    try:
        async with named_errors(), asyncio.timeout(ANSWER_TIMEOUT_S):
            return await connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
    except RuntimeError as error:  # aiormq's word for a connection that has just ended
        raise BrokerUnreachable("the connection has ended") from error


@asynccontextmanager
async def a_channel(connection: AbstractConnection) -> AsyncIterator[AbstractChannel]:
    """Open a channel and close it in the end, which returns what was not acked.

    Raises:
        BrokerUnreachable: the broker does not answer, or went away.
    """
    channel = await open_channel(connection)
    try:
        yield channel
    finally:
        await close_channel(channel)


async def close_channel(channel: AbstractChannel) -> None:
    """Close, which also waits until the broker has seen all acks; an ended one is left alone."""
    with suppress(BrokerUnreachable):
        async with named_errors(), asyncio.timeout(_CLOSE_TIMEOUT_S):
            if not channel.is_closed:
                await channel.close()


async def close_connection(connection: AbstractConnection) -> None:
    """Close, within seconds and without complaint, whatever became of the broker."""
    with suppress(BrokerUnreachable):
        async with named_errors(), asyncio.timeout(_CLOSE_TIMEOUT_S):
            await connection.close()


@asynccontextmanager
async def named_errors() -> AsyncIterator[None]:
    """Map what the client raises when the broker fails it to ``BrokerUnreachable``.

    An answer of 403 is a ``BrokerRefuses``.

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
    except TimeoutError as error:
        raise BrokerUnreachable("no answer in time") from error
    except (ChannelAccessRefused, ProbableAuthenticationError, AuthenticationError) as error:
        raise BrokerRefuses(error_words(error)) from error
    except (AMQPError, PAMQPException, ChannelInvalidStateError, OSError, EOFError) as error:
        raise BrokerUnreachable(error_words(error)) from error
    except (MemoryError, RuntimeError) as error:
        if shortage_of(error) is None:
            raise
        raise BrokerUnreachable(error_words(error)) from error
