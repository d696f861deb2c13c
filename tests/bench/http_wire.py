"""HTTP for a bench's receivers: as little of it as a webhook needs, so that they cost little."""

import asyncio
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)

Respond = Callable[[bytes, bytes], bytes]
"""Takes a request's head and body, returns the bytes of the answer; none for no answer."""


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self._held = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._held, 0, end)
            whole = end + 4 + int(length[1] if length else 0)
            if len(self._held) < whole:
                return
            answer = self._respond(self._held[:end], self._held[end + 4 : whole])
            self._held = self._held[whole:]
            if self._transport is not None:
                self._transport.write(answer)


async def open_ports(responses: Sequence[Respond]) -> Sequence[asyncio.Server]:
    """Listen on a free port for each, and print them, one a line."""
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(partial(Connection, one), "127.0.0.1", 0) for one in responses
    ]
    for server in servers:
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    return servers
