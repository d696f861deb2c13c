"""An outage of the database, as a caller of the API meets it: a moment's wait, or 503 and when.

What surely did nothing is tried again here, so that a cut of all connections is nobody's error.
What was perhaps done is tried again only if the store knows the request when it comes again.

What the database refuses for what it holds is no fault of the caller's, who named a user
and nothing else: the row is ours, and nothing was changed. It is answered as an outage, for the
request is right once the operator has mended the row or the constraint.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from disconnect_fanout.flow.outage import DataRefused, StoreRefuses, StoreUnreachable

Answer = TypeVar("Answer")

WITHIN_S = 4.0
"""For all tries of one question; a request asks two: who is asking, and what is asked."""

RETRY_AFTER = {"retry-after": "2"}

_WAIT_S = 0.1
_LONGEST_WAIT_S = 1.0


async def tried_again(ask: Callable[[], Awaitable[Answer]], *, known: bool) -> Answer:
    """Return the answer, however often it takes within the time.

    Args:
        ask: the store.
        known: doing it twice is doing it once.

    Raises:
        StoreUnreachable: the time is over, or it may be done and would be answered otherwise then,
            or the database refuses what it is to hold.
    """
    try:
        async with asyncio.timeout(WITHIN_S):
            return await _until_answered(ask, known=known)
    except TimeoutError:
        raise StoreUnreachable(f"no answer within {WITHIN_S:g} s") from None


async def _until_answered(ask: Callable[[], Awaitable[Answer]], *, known: bool) -> Answer:
    wait_s = _WAIT_S
    while True:
        try:
            return await ask()
        except StoreUnreachable as error:
            if error.maybe_done and not known:
                raise
        except DataRefused as error:
            raise StoreRefuses(str(error), error.sqlstate) from None
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
