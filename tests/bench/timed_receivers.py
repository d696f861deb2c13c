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

from tests.bench.http_wire import OK, open_ports

_DELIVERY = re.compile(rb"webhook-id: *(\S+)", re.IGNORECASE)
_DUE = re.compile(rb'"google_id":"(\d+)"')


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
        return b"" if self._hangs else OK


async def serve(count: int, hanging: int) -> None:
    """Serve on so many free ports until the input ends, then print what was noted."""
    platforms = [Platform(hangs=number < hanging) for number in range(count)]
    servers = await open_ports([one.receive for one in platforms])
    await asyncio.to_thread(sys.stdin.read)
    for server in servers:
        server.close()
    for one in platforms:
        sys.stdout.write(f"{json.dumps(list(one.took_s.values()))}\n")


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
