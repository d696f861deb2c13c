"""Something that has to be asked for again and again, until it is so."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def comes_true(
    what: Callable[[], Awaitable[bool]], words: str, *, within: float = 30.0
) -> None:
    """Wait until something is so that has to be asked for.

    Raises:
        AssertionError: it was not, all the time.
    """
    deadline = time.monotonic() + within
    while not await what():
        assert time.monotonic() < deadline, f"not within {within:g} s: {words}"
        await asyncio.sleep(0.05)
