"""The connection that a publisher holds, and the client's errors by their meaning."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import (
    AMQPError,
    AuthenticationError,
    ChannelInvalidStateError,
    ChannelNotFoundEntity,
    ProbableAuthenticationError,
    PublishError,
)
from aiormq.exceptions import ChannelAccessRefused, InvalidFrameError

_CLOSE_TIMEOUT_S = 5.0


class Outage(Exception):
    """The broker did not answer: once more."""


class Refused(Exception):
    """It answered that we may not come in."""


class Unroutable(Exception):
    """No queue took it, or there is no such exchange."""


class Forbidden(Exception):
    """We may not write there."""


class PublishChannel:
    """One channel with confirms, opened anew after each loss.

    Args:
        timeout_s: for whatever the broker is asked.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._opening = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None

    async def ready(self) -> AbstractChannel:
        """Return it, open.

        Raises:
            Refused: the user, the password or the vhost is wrong.
        """
        async with self._opening:
            if self._connection is None or not _is_open(self._connection):
                await self.close()
                self._channel = None
                self._connection = await self._connect()
            if self._channel is None or self._channel.is_closed:
                async with asyncio.timeout(self._timeout_s):
                    self._channel = await self._connection.channel(on_return_raises=True)
            return self._channel

    async def close(self) -> None:
        """Close the connection, within seconds, whatever became of the broker."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Outage):
                async with named_errors(), asyncio.timeout(_CLOSE_TIMEOUT_S):
                    await connection.close()

    async def _connect(self) -> AbstractConnection:
        try:
            return await aio_pika.connect(
                self._url,
                timeout=self._timeout_s,
                client_properties={"connection_name": "disconnect publisher"},
            )
        except (AuthenticationError, ProbableAuthenticationError, InvalidFrameError):
            raise Refused from None  # an invalid frame is all that the client tells of a vhost


@asynccontextmanager
async def named_errors() -> AsyncIterator[None]:
    """Map what the client raises.

    A frozen broker makes it raise ``CancelledError``, which is a cancellation of ours only if
    somebody asked for one. And where somebody did, it may answer with an error of its own, which
    would be tried again for ever.

    Raises:
        Outage: no answer, or a refusal that passes.
        Unroutable: nobody takes it.
        Forbidden: no permission.
    """
    try:
        yield
    except asyncio.CancelledError:
        if _cancelled():
            raise
        raise Outage from None
    except (PublishError, ChannelNotFoundEntity):
        raise Unroutable from None
    except ChannelAccessRefused:
        raise Forbidden from None
    except (AMQPError, ChannelInvalidStateError, RuntimeError, OSError, EOFError, TimeoutError):
        if _cancelled():
            raise asyncio.CancelledError from None
        raise Outage from None


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _is_open(connection: AbstractConnection) -> bool:
    """``is_closed`` only tells whether *we* closed it."""
    return connection.transport is not None and connection.transport.connection.is_opened
