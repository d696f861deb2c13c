"""The bench's end of the platforms' process."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

_LONGEST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Heard:
    """What the platforms say afterwards.

    Attributes:
        events: of which each was notified.
        wrong: signatures that are not right.
    """

    events: Sequence[int]
    wrong: int


class Receiving:
    """Talks to the platforms."""

    def __init__(self, process: asyncio.subprocess.Process, ports: Sequence[int]) -> None:
        self._process = process
        self.ports = ports

    async def until(self, count: int) -> int:
        """Return how many requests came, once they are so many or no more come."""
        return int(await self._say(f"until {count}"))

    async def judge(self, secrets: Sequence[str]) -> Heard:
        """Return what they got, and let them forget it."""
        found = json.loads(await self._say(f"judge {json.dumps(secrets)}"))
        return Heard(found["events"], found["wrong"])

    async def forget(self) -> None:
        """Let them forget all."""
        await self._say("forget")

    async def _say(self, words: str) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{words}\n".encode())
        await self._process.stdin.drain()
        return await self._process.stdout.readline()


@asynccontextmanager
async def receiving(count: int) -> AsyncIterator[Receiving]:
    """Start so many platforms."""
    argv = (sys.executable, "-m", "tests.bench.side_by_side.platforms", str(count))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=pipe, stdout=pipe, limit=_LONGEST_LINE
    )
    assert process.stdout is not None
    try:
        yield Receiving(process, [int(await process.stdout.readline()) for _ in range(count)])
    finally:
        process.kill()
        await process.wait()
