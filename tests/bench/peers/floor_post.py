"""The floor: nothing but requests, by one aiohttp session as it comes.

No queue, no signature, no record: what a request costs that somebody else has decided about.
"""

import asyncio
import os
import sys

import aiohttp
import uvloop
from tests.bench.peers.hooks import Hook, hooks, say_ready

_AT_ONCE = 96
_BODY = b'{"id":"evt","data":"' + b"x" * 400 + b'"}'


async def _post(session: aiohttp.ClientSession, mine: list[Hook]) -> None:
    while mine:
        async with session.post(mine.pop().url, data=_BODY) as answer:
            await answer.read()


async def main() -> None:
    """Wait for the word, then post."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        say_ready()
        await asyncio.to_thread(sys.stdin.readline)
        left = hooks() * int(os.environ["BENCH_EVENTS"])
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_AT_ONCE):
                tasks.create_task(_post(session, left))
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
