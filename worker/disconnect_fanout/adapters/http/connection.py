"""One connection to one platform: a request, its answer, and silence before the next one."""

import asyncio
import select
import ssl
from typing import cast

import aiohttp

from disconnect_fanout.adapters.http.answer_body import Ending
from disconnect_fanout.adapters.http.answer_reader import AnswerReader
from disconnect_fanout.adapters.http.failure import UnreadableAnswer

_TURNS = 4  # of the loop, in which it reads what a TLS server sends after the handshake


class PlatformConnection(asyncio.Protocol):
    """Bytes belong to the request that is under way; without one they end the connection.

    HTTP/1.1 does not name the request that an answer belongs to: the order does. So whatever lies
    unread when a request is written would be taken for its answer (aio-libs/aiohttp#13656).

    Args:
        among: where it counts itself for as long as it is open.
    """

    def __init__(self, among: set["PlatformConnection"]) -> None:
        self.made_at = 0.0
        """When its name was looked up, by the clock of whoever keeps it."""
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when nothing of it is left."""
        self._among = among
        self._transport: asyncio.Transport | None = None
        self._socket: select.poll | None = None
        self._reader: AnswerReader | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._asked = False
        self._ended = False
        self._unasked = False
        self._error: Exception | None = None

    # ── what the loop calls ──────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what it takes to look whether anything lies unread."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by class
        self._among.add(self)  # not before: a handshake that fails is ended by the loop
        self._socket = select.poll()
        self._socket.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Hand bytes to the answer that is being read."""
        if self._reader is None:
            self._unasked = True
            self.abort()
            return
        self._reader.feed(data)
        if self._reader.heard:
            self._wake()

    def eof_received(self) -> None:
        """The platform says no more; the transport closes itself."""
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note why."""
        self._error = exc
        if exc is not None and self._reader is not None:
            self._reader.cut(Ending.SHORT)
        self._end()
        self._among.discard(self)
        if not self.lost.done():
            self.lost.set_result(None)

    # ── what the sender calls ────────────────────────────────────────────────────────────────

    @property
    def silent(self) -> bool:
        """It is open, and nothing has come that nobody asked for, not even into the kernel."""
        if self._ended or self._transport is None or self._transport.is_closing():
            return False
        return self._socket is not None and not self._socket.poll(0)

    async def ask(self, request: bytes, reader: AnswerReader) -> None:
        """Write a request, and return when the head of its answer was read, or can't be.

        Raises:
            UnreadableAnswer: the platform spoke before it was asked.
            aiohttp.ClientError, OSError: the connection ended before it answered.
        """
        if not self._asked:
            await self._settle()
        self._asked, self._reader = True, reader
        if self._ended or self._transport is None or self._transport.is_closing():
            raise self._loss()
        self._transport.write(request)
        while not reader.heard:
            if self._ended:
                raise self._loss()
            await self._news()

    async def hear_out(self, reader: AnswerReader) -> None:
        """Return when the answer has ended."""
        while not reader.over:
            await self._news()

    def rest(self) -> bool:
        """Take leave of an answer; return whether another request may follow.

        One whose request was answered before all of it had left is of no use.
        """
        self._reader = None
        if self._ended or self._transport is None or self._transport.is_closing():
            return False
        return not self._transport.get_write_buffer_size()

    def abort(self) -> None:
        """End it at once, without waiting for anything that the platform may owe."""
        if self._transport is not None:
            self._transport.abort()

    # ── between the two ──────────────────────────────────────────────────────────────────────

    async def _settle(self) -> None:
        """Let the loop read what a new connection brings: TLS 1.3 sends its tickets there."""
        for _ in range(_TURNS):
            if self._ended or self.silent:
                break
            await asyncio.sleep(0)
        if self._unasked:
            raise UnreadableAnswer("the platform's server spoke before it was asked")

    async def _news(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _end(self) -> None:
        self._ended = True
        if self._reader is not None:
            self._reader.eof()
        self._wake()

    def _loss(self) -> Exception:
        """What ended it. An end of TLS without its farewell is an end, and no failure of TLS."""
        match self._error:
            case None | ssl.SSLEOFError() | ssl.SSLZeroReturnError():
                return aiohttp.ServerDisconnectedError()
            case ssl.SSLError():
                return self._error
            case OSError(errno=errno, strerror=words):  # a TimeoutError among them is not ours
                return aiohttp.ClientOSError(errno, words)
            case _:
                return self._error
