"""Tasks that live as long as their work, not as long as whoever started them."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class HeldTasks:
    """Holds strong references: the loop alone would let a running task be collected.

    Args:
        on_crash: called with an exception that a task did not expect; a bug, by definition.
    """

    def __init__(self, on_crash: Callable[[BaseException], None]) -> None:
        self._on_crash = on_crash
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Return how many are at work."""
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start and hold."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._let_go)
        return task

    async def finish(self) -> None:
        """Wait for all, also for those that are started meanwhile."""
        while self._tasks:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    def _let_go(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_crash(error)
