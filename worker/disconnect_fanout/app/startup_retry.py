"""Retrying at start: broker and database may come up a little later than we do."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_delay,
    wait_exponential,
)

from disconnect_fanout.flow.outage import (
    BrokerRefuses,
    BrokerUnreachable,
    StoreRefuses,
    StoreUnreachable,
)

RETRY_FOR_S = 20.0

Started = TypeVar("Started")


async def retrying_at_start(start: Callable[[], Awaitable[Started]]) -> Started:
    """Return what ``start`` returns, trying again while something does not answer.

    Raises:
        StoreUnreachable, BrokerUnreachable: still no answer; whoever supervises us decides.
        StoreRefuses, BrokerRefuses: at once, for these are answers.
    """

    async def once() -> Started:
        return await start()

    attempts = AsyncRetrying(
        retry=retry_if_exception(_may_pass),
        wait=wait_exponential(0.5, max=3),
        stop=stop_after_delay(RETRY_FOR_S),
        before_sleep=_say,
        reraise=True,
    )
    return await attempts(once)


def _may_pass(error: BaseException) -> bool:
    unanswered = isinstance(error, (BrokerUnreachable, StoreUnreachable))
    return unanswered and not isinstance(error, (StoreRefuses, BrokerRefuses))


def _say(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    words = "not started yet; trying again"
    structlog.get_logger().warning("start.delayed", message=words, detail=str(error))
