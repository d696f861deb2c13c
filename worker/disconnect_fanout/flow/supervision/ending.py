"""Ending tasks within a bound, whatever became of their cancellation.

A cancellation can be swallowed below us: Python 3.11's ``wait_for``, which our broker's client is
built on, loses one that comes in the moment in which it is done (measured: 15 of 400). Whoever
awaits such a task waits for ever.
"""

import asyncio
from collections.abc import Collection
from typing import Any, TypeAlias

AnyTask: TypeAlias = "asyncio.Task[Any]"

_AGAIN_AFTER_S = 0.25


async def ended(tasks: Collection[AnyTask], within_s: float) -> set[AnyTask]:
    """Cancel, again and again, until all have ended or the time is up.

    Returns:
        Those that still run. Errors stay in the tasks.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    left = {task for task in tasks if not task.done()}
    while left and (rest_s := deadline - loop.time()) > 0:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=min(_AGAIN_AFTER_S, rest_s))
    return left
