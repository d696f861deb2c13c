"""A server that speaks bytes: what no HTTP library would say, and exactly what came in."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Self

Answer = Callable[["Exchange"], Awaitable[None]]


class Exchange:
    """One request on one connection.

    Attributes:
        connection: counts the server's connections from 1.
        request: head and body, as they came.
    """

    def __init__(self, connection: int, request: bytes, writer: asyncio.StreamWriter) -> None:
        self.connection = connection
        self.request = request
        self._writer = writer

    async def say(self, *parts: bytes) -> None:
        """Send bytes, each part when the one before it has left."""
        for part in parts:
            self._writer.write(part)
            await self._writer.drain()

    def say_at_once(self, part: bytes) -> None:
        """Send bytes without a turn of the loop: they lie in the client's kernel, unread."""
        self._writer.write(part)

    def hang_up(self) -> None:
        """End the connection in order."""
        self._writer.close()

    def reset(self) -> None:
        """End it at once; what was not sent yet is lost."""
        self._writer.transport.abort()


def ok(body: bytes = b"", *headers: bytes) -> bytes:
    """Return a plain 200."""
    head = (b"HTTP/1.1 200 OK", b"content-length: %d" % len(body), *headers)
    return b"\r\n".join(head) + b"\r\n\r\n" + body


async def answer_ok(exchange: Exchange) -> None:
    """Answer as a good platform does."""
    await exchange.say(ok())


class RawServer:
    """Listens on loopback, records requests, answers as told.

    Args:
        answer: called for each request.
        tls: to speak TLS.
        host: ``127.0.0.1`` or ``::1``.
        port: a free one if 0.
        greet: called for each connection, before anything is read.
        early: answers to the head of a request, before its body is read.
    """

    def __init__(
        self,
        answer: Answer = answer_ok,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        greet: Answer | None = None,
        early: bool = False,
    ) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.ended = asyncio.Event()
        """A client ended a connection."""
        self.port = port
        self._answer = answer
        self._tls = tls
        self._host = host
        self._greet = greet
        self._early = early
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    def url(self, host: str = "127.0.0.1", path: str = "/hook") -> str:
        """Return a URL that leads here under some name."""
        return f"http{'s' if self._tls else ''}://{host}:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            if self._greet is not None:
                await self._greet(Exchange(number, b"", writer))
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                if self._early:
                    await self._answer(Exchange(number, head, writer))
                request = head + await reader.readexactly(_length(head))
                self.requests.append(request)
                if not self._early:
                    await self._answer(Exchange(number, request, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended.set()
        finally:
            writer.close()


def _length(head: bytes) -> int:
    return sum(
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
