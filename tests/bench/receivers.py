"""Receiving platforms that do nothing but say 200, in a process of their own.

``python -m tests.bench.receivers 3`` prints three ports, one a line, and serves until it is ended.
"""

import asyncio
import sys

from tests.bench.http_wire import OK, open_ports


async def serve(count: int) -> None:
    """Serve on so many free ports."""
    servers = await open_ports([lambda _head, _body: OK] * count)
    await asyncio.gather(*(one.serve_forever() for one in servers))


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
