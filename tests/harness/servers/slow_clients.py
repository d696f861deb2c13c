"""Clients that take their time: half a head, half a body, an answer that they don't read."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

HALF_A_HEAD = b"GET /metrics HTTP/1.1\r\nHost: h\r\nX-Slow: "
HALF_A_BODY = b"POST /hook HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n{"
Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class SlowClients:
    """Connections to one port, closed in the end."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.wires: list[Wire] = []
        self.address = host, port

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for _reader, writer in self.wires:
            writer.transport.abort()

    async def send(self, said: bytes, times: int = 1) -> Sequence[Wire]:
        """Open so many connections and say so much on each."""
        made = [await self._one(said) for _ in range(times)]
        self.wires += made
        return made

    @property
    def open(self) -> int:
        """How many the other side has not ended, as far as that is known here."""
        readers = [reader for reader, _ in self.wires]
        return sum(
            not vars(one)["_eof"] and one.exception() is None  # at_eof() minds what is unread
            for one in readers
        )

    async def _one(self, said: bytes) -> Wire:
        reader, writer = await asyncio.open_connection(*self.address)
        writer.write(said)
        return reader, writer


async def ended(wire: Wire) -> bytes:
    """Return what the other side said until it closed."""
    said = bytearray()
    with contextlib.suppress(ConnectionError):
        while chunk := await wire[0].read(65536):
            said += chunk
    return bytes(said)


async def trickles(wire: Wire, byte: bytes = b"x", every_s: float = 0.05) -> None:
    """Say a byte now and then, until the other side has had enough."""
    with contextlib.suppress(ConnectionError):
        while not wire[0].at_eof() and wire[0].exception() is None:
            wire[1].write(byte)
            await wire[1].drain()
            await asyncio.sleep(every_s)


async def becomes(what: Callable[[], bool]) -> None:
    """Wait until something that nobody tells of is so; whoever asks sets the bound."""
    while not what():  # noqa: ASYNC110 - of what is polled nobody tells
        await asyncio.sleep(0.01)
