"""A loop whose clock jumps: waiting takes no time, and an hour passes in a millisecond.

When nothing is ready to run, the selector is asked to wait for the next timer; it moves the clock
there instead. A loop that would wait for ever is a deadlock, and says so.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")
_LONGEST_S = 30 * 86400.0
_MOMENT_S = 0.001


class _JumpingSelector(selectors.SelectSelector):
    """Never waits."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("deadlock: every task waits, and no timer will wake one")
        self.now += max(timeout, 0.0)
        return super().select(0)


class DeafSelector(_JumpingSelector):
    """Asks the system for nothing: for a loop without sockets, threads and signals."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("deadlock: every task waits, and no timer will wake one")
        self.now += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, which begins at 0."""

    def __init__(self, selector: _JumpingSelector | None = None) -> None:
        self._jumping = selector or _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def in_virtual_time(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end; at most thirty virtual days."""

    async def bounded() -> Result:
        async with asyncio.timeout(_LONGEST_S):
            return await work

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(bounded())


async def pass_time(seconds: float) -> None:
    """Let virtual time pass; real time does not."""
    assert isinstance(asyncio.get_running_loop(), VirtualLoop)
    await asyncio.sleep(seconds)


async def until(held: Callable[[], object]) -> None:
    """Return in the first virtual millisecond in which ``held`` is true."""
    while not held():
        await pass_time(_MOMENT_S)
