"""Retrying in an outage: the same call again, at growing intervals, until the database answers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter

from disconnect_fanout.flow.outage import StoreUnreachable

Answer = TypeVar("Answer")
Sleep = Callable[[float], Awaitable[None]]

LONGEST_RETRY_S = 60.0
"""An outage is waited for this long before it is reported; then an event goes back to the queue."""

_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 1.0  # delivered within 5 s of the database being reachable: decision 0010


async def again(call: Callable[[], Awaitable[Answer]], sleep: Sleep) -> Answer:
    """Return what ``call`` returns once it no longer raises ``StoreUnreachable``.

    Meant for after a first failure only: the healthy path pays for no retry object.
    """
    attempts = AsyncRetrying(
        retry=retry_if_exception_type(StoreUnreachable),
        wait=wait_exponential_jitter(
            multiplier=_FIRST_WAIT_S, max=_LONGEST_WAIT_S, jitter=_FIRST_WAIT_S
        ),
        sleep=sleep,
    )
    return await attempts(call)


async def retrying(
    call: Callable[[], Awaitable[Answer]], retry_for_s: float, sleep: Sleep
) -> Answer:
    """Return what ``call`` returns, however often it takes within the time.

    Raises:
        StoreUnreachable: the outage lasted longer.
    """
    try:
        async with asyncio.timeout(retry_for_s):
            try:
                return await call()
            except StoreUnreachable:
                return await again(call, sleep)
    except TimeoutError:
        raise StoreUnreachable(f"the database has not answered for {retry_for_s:g} s") from None
