"""Sends webhooks: one POST, one time-out over the whole exchange, no redirects, a capped answer."""

import asyncio
import time
from collections.abc import Callable, Sequence

import aiohttp
from aiohttp.abc import AbstractResolver

from disconnect_fanout.adapters.http.answer_body import Ending
from disconnect_fanout.adapters.http.answer_reader import AnswerReader
from disconnect_fanout.adapters.http.connection import PlatformConnection
from disconnect_fanout.adapters.http.dialer import Dialer
from disconnect_fanout.adapters.http.failure import UnreadableAnswer, failure_of
from disconnect_fanout.adapters.http.failure_words import timed_out
from disconnect_fanout.adapters.http.guard import AddressGuard, Sightings, sightings
from disconnect_fanout.adapters.http.permitted_names import PermittedNames
from disconnect_fanout.adapters.http.pool import Pool, Pools
from disconnect_fanout.adapters.http.resolver import NameResolver
from disconnect_fanout.adapters.http.trust import BadAuthority
from disconnect_fanout.domain.outcome import Answer, Exchange, Failure, FailureKind, Unable
from disconnect_fanout.flow.webhook import WebhookRequest
from disconnect_fanout.policy.endpoints.address import Network

REST_S = 1.0
"""For what follows the head of an answer, which has decided already."""


class AiohttpSender:
    """The flow's ``Sender``: aiohttp connects, the answer is read by ourselves (decision 0017).

    Args:
        user_agent: ``disconnect-fanout/<version>``.
        allowed: networks permitted beside the public ones.
        resolver: looks names up, and is closed with the sender.
        clock: seconds that never run backwards, for the age of connections.
    """

    def __init__(
        self,
        user_agent: str,
        allowed: Sequence[Network],
        resolver: AbstractResolver | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        guard = AddressGuard(allowed)
        self._names = PermittedNames(resolver or NameResolver(), guard.permits)
        self._dialer = Dialer(guard, self._names)
        self._pools = Pools(user_agent, clock)
        self._clock = clock

    async def close(self) -> None:
        """Close all connections."""
        self._pools.close()
        await self._dialer.hang_up()
        await self._names.close()

    async def send(self, request: WebhookRequest) -> Exchange | Unable:
        """Return what came of the request; nothing that a platform can do raises."""
        if self._dialer.closed:
            raise RuntimeError("the sender is closed")
        seen = Sightings()
        token = sightings.set(seen)
        try:
            return await self._exchange(request, seen)
        except TimeoutError:
            return timed_out(seen, request.timeout_s)
        except BadAuthority:  # written past the command, which checks it
            return Failure(FailureKind.TLS_FAILED, "TLS: the platform's authority can't be read")
        except (aiohttp.ClientError, UnreadableAnswer, OSError, ValueError, MemoryError) as error:
            return failure_of(error, seen)
        except RuntimeError as error:  # uvloop says so of a transport that has just ended
            if self._dialer.closed:
                raise
            return failure_of(error, seen)
        finally:
            sightings.reset(token)

    async def _exchange(self, request: WebhookRequest, seen: Sightings) -> Answer:
        """Take or make a connection, ask, listen; then keep the connection, or end it."""
        pool, reader = self._pools.of(request), AnswerReader()
        until = asyncio.get_running_loop().time() + request.timeout_s
        connection: PlatformConnection | None = None
        try:
            async with asyncio.timeout_at(until):
                connection = await self._connection(pool, request)
                written = pool.target.write(request)
                seen.written = True  # from here on the platform may know
                await connection.ask(written, reader)
            if not reader.over:
                await _hear_out(connection, reader, until)
        except TimeoutError:
            if reader.head is None:
                raise
            reader.cut(Ending.LATE)
        finally:
            seen.answered = reader.began
            if connection is not None and reader.reusable and not request.fresh:
                pool.keep(connection, self._clock())
            elif connection is not None:
                connection.abort()
        return _answer(reader)

    async def _connection(self, pool: Pool, request: WebhookRequest) -> PlatformConnection:
        now = self._clock()
        kept = None if request.fresh else pool.take(now, request.timeout_s)
        if kept is not None:
            return kept
        connection = await self._dialer.dial(pool.target.origin, pool.context)
        connection.made_at = now
        return connection


async def _hear_out(connection: PlatformConnection, reader: AnswerReader, until: float) -> None:
    """Listen to the rest for a while: the outcome is known, and a slot is held."""
    rest = asyncio.get_running_loop().time() + REST_S
    async with asyncio.timeout_at(min(until, rest)):
        await connection.hear_out(reader)


def _answer(reader: AnswerReader) -> Answer:
    if reader.head is None:
        raise UnreadableAnswer(reader.failure)
    return Answer(reader.head.status, reader.head.retry_after, reader.excerpt(), reader.remark)
