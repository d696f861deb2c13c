"""A server whose connections are few and whose clients can't take their time.

aiohttp bounds neither: 1,100 half-sent requests held 1,100 descriptors, and webhooks failed for
want of one. Here every phase of a connection has its time, and of too many connections the one goes
that has been waiting for its client for the longest: whoever asks in one breath is answered.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from aiohttp import web

_FIRST_BREATH_S = 0.05
"""So long a new connection may take to speak: what it says comes right behind its first packet."""
_SLOW_READER_S = 1.0
_LOOK_AGAIN_S = 0.02


class Phase(Enum):
    """What a connection waits for."""

    RECEIVING = "the head of a request"
    HANDLING = "the rest of a request, or our answer"
    ANSWERING = "the client, to read the answer"
    IDLE = "the next request"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a connection may stay in a phase, in seconds.

    Attributes:
        receive_s: for the head of a request; and from then on for its body.
        idle_s: between two requests.
        handle_s: for our own work; the database may be slow.
        answer_s: for the client to read the answer.
    """

    receive_s: float = 10.0
    idle_s: float = 30.0
    handle_s: float = 120.0
    answer_s: float = 30.0

    @property
    def look_every_s(self) -> float:
        """How often to look for connections whose time is up."""
        return min(self.receive_s, self.idle_s, self.answer_s, 4.0) / 4


STANDARD = Limits()


class BoundedServer(web.Server):
    """``aiohttp.web.Server`` with bounds.

    Args:
        handler: answers one request.
        most: connections at once.
        limits: of time.
        kwargs: aiohttp's, for each connection.
    """

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        *,
        most: int,
        limits: Limits,
        **kwargs: Any,  # noqa: ANN401 - aiohttp's
    ) -> None:
        async def handling(request: web.BaseRequest) -> web.StreamResponse:
            cast("Connection", request.protocol).turn(Phase.HANDLING, request)
            return await handler(request)

        super().__init__(handling)
        self.limits = limits
        self.most = most
        self.open: set[Connection] = set()
        self.changed = asyncio.Event()
        """Set when a connection ended or waits for its client again."""
        self._options = {
            "access_log": None,
            "keepalive_timeout": limits.idle_s,
            "lingering_time": limits.receive_s,
            **kwargs,
        }

    def __call__(self) -> web.RequestHandler:
        """Make the protocol of one connection."""
        return Connection(self, loop=asyncio.get_running_loop(), **self._options)

    async def room(self) -> None:
        """Return when one more connection may be open."""
        while len(self.open) >= self.most:
            self.changed.clear()
            self.drop_one()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN_S):
                    await self.changed.wait()

    def drop_one(self) -> None:
        """End the connection that has been waiting for its client for the longest, if one does."""
        now = asyncio.get_running_loop().time()
        waiting = [one for one in self.open if one.waits(now)]
        if waiting:
            min(waiting, key=lambda one: one.since).abort()

    async def keep_time(self) -> None:
        """End connections whose time is up, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.look_every_s)
            now = loop.time()
            for one in [one for one in self.open if one.overdue(now)]:
                one.abort()


class Connection(web.RequestHandler):
    """One connection, and since when it has been waiting for what."""

    __slots__ = ("_asked", "_bounds", "_wire", "phase", "since")

    def __init__(self, server: BoundedServer, **kwargs: Any) -> None:  # noqa: ANN401 - aiohttp's
        super().__init__(server, **kwargs)
        self._bounds = server
        self._wire: asyncio.Transport | None = None
        self._asked: web.BaseRequest | None = None
        self.phase, self.since = Phase.RECEIVING, self._loop.time()

    def turn(self, phase: Phase, request: web.BaseRequest | None = None) -> None:
        """Enter a phase."""
        self.phase, self.since, self._asked = phase, self._loop.time(), request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._wire = cast("asyncio.Transport", transport)
        self._bounds.open.add(self)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Note when a head begins to come."""
        if self.phase is Phase.IDLE:
            self.turn(Phase.RECEIVING)
        super().data_received(data)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Note how long the client takes to read."""
        self.turn(Phase.ANSWERING)
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self.turn(Phase.IDLE)
            self._bounds.changed.set()

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        self._bounds.open.discard(self)
        self._bounds.changed.set()
        super().connection_lost(exc)

    def log_exception(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - aiohttp's
        """Say nothing of a client that went away, or was sent away."""
        if not isinstance(kwargs.get("exc_info"), ConnectionError):
            super().log_exception(*args, **kwargs)

    def waits(self, now: float) -> bool:
        """Tell whether it is the client that keeps this connection waiting."""
        match self.phase:
            case Phase.IDLE:
                return True
            case Phase.RECEIVING:
                return now - self.since > _FIRST_BREATH_S
            case Phase.HANDLING:
                return self._incomplete
            case Phase.ANSWERING:
                return now - self.since > _SLOW_READER_S

    def overdue(self, now: float) -> bool:
        """Tell whether its time is up."""
        limits = self._bounds.limits
        match self.phase:
            case Phase.RECEIVING:
                most_s = limits.receive_s
            case Phase.IDLE:
                most_s = limits.idle_s
            case Phase.HANDLING:
                most_s = limits.receive_s if self._incomplete else limits.handle_s
            case Phase.ANSWERING:
                most_s = limits.answer_s
        return now - self.since > most_s

    def abort(self) -> None:
        """End now; an answer that nobody reads is not waited for."""
        if self._wire is not None:
            self._wire.abort()

    @property
    def _incomplete(self) -> bool:
        return self._asked is not None and not self._asked.content.is_eof()
