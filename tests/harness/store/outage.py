"""Outages of a database, of a length that has a name."""

import asyncio
import os

OUTAGE_S = float(os.environ.get("TEST_OUTAGE_S", "5"))
"""How long a database stays away in the acceptance tests; a soak gives it 20."""


async def lasts(seconds: float = OUTAGE_S) -> None:
    """Let an outage last. It is the one span that a test may wait for: nothing ends it but time."""
    never = asyncio.Event()
    try:
        async with asyncio.timeout(seconds):
            await never.wait()
    except TimeoutError:
        return
