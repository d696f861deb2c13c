"""Receiving platforms that note how long each webhook was on its way, in a process of their own.

``python -m tests.bench.timed_receivers 10 3`` prints ten ports, one a line; the first three take
every request and never answer. The end of its input ends it; it then prints, one JSON list a
platform, the seconds that each delivery took. The bench hides the instant at which an event was to
be published in its ``google_id``: nanoseconds of the monotonic clock, which all processes share.
"""

import asyncio
import json
import re
import sys
import time
from functools import partial

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_DELIVERY = re.compile(rb"webhook-id: *(\S+)", re.IGNORECASE)
_DUE = re.compile(rb'"google_id":"(\d+)"')
_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Platform:
    """One platform.

    Attributes:
        took_s: seconds from the event's due time to its first arrival here, by delivery id.
    """

    def __init__(self, *, hangs: bool) -> None:
        self._hangs = hangs
        self.took_s: dict[bytes, float] = {}

    def receive(self, head: bytes, body: bytes) -> bytes:
        """Note one request; return what to answer."""
        delivery, due = _DELIVERY.search(head), _DUE.search(body)
        assert delivery is not None
        assert due is not None
        took_s = (time.monotonic_ns() - int(due[1])) / 1e9
        self.took_s.setdefault(delivery[1], took_s)
        return b"" if self._hangs else _OK


class Connection(asyncio.Protocol):
    """One kept-alive connection to a platform."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
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
            answer = self._platform.receive(self._held[:end], self._held[end + 4 : whole])
            self._held = self._held[whole:]
            if self._transport is not None:
                self._transport.write(answer)


async def serve(count: int, hanging: int) -> None:
    """Serve on so many free ports until the input ends, then print what was noted."""
    loop = asyncio.get_running_loop()
    platforms = [Platform(hangs=number < hanging) for number in range(count)]
    servers = [
        await loop.create_server(partial(Connection, one), "127.0.0.1", 0) for one in platforms
    ]
    for server in servers:
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    for one in platforms:
        sys.stdout.write(f"{json.dumps(list(one.took_s.values()))}\n")


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
