"""Processes in one event loop, which can be killed and frozen between any two of their steps.

Each callback belongs to the process in whose context it was scheduled. A dead process's callbacks
are not run, a frozen one's wait: no line of the flow is told, no ``finally`` runs, just as with
SIGKILL and SIGSTOP. A step ends at an await that really waits, so "between any two steps" is "at
every await".
"""

import asyncio
import sys
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from typing import Any

from tests.harness.flow.virtual_time import DeafSelector, VirtualLoop

_OWNER: ContextVar["Process | None"] = ContextVar("owner", default=None)


class _Step:
    """One callback, which may have to wait for its process, or be taken back meanwhile."""

    __slots__ = ("args", "callback", "context", "handle", "owner")
    handle: asyncio.Handle

    def __init__(
        self, owner: "Process", callback: Callable[..., object], args: Any, context: Context
    ) -> None:
        self.owner = owner
        self.callback = callback
        self.args = args
        self.context = context

    def __call__(self) -> None:
        if self.owner.may_run(self) and not self.handle.cancelled():
            self.callback(*self.args)


class ProcessLoop(VirtualLoop):
    """Virtual time, and callbacks that have owners."""

    def __init__(self) -> None:
        super().__init__(DeafSelector())

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        context = copy_context() if context is None else context
        owner = context.get(_OWNER)
        if owner is None or isinstance(callback, _Step):
            return super().call_soon(callback, *args, context=context)
        step = _Step(owner, callback, args, context)
        step.handle = super().call_soon(step, context=context)
        return step.handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        context = copy_context() if context is None else context
        owner = context.get(_OWNER)
        if owner is None:
            return super().call_at(when, callback, *args, context=context)
        step = _Step(owner, callback, args, context)
        timer = super().call_at(when, step, context=context)
        step.handle = timer
        return timer


class Process:
    """One run of one worker's program."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.frozen = False
        self.steps = 0
        self.alarm = sys.maxsize
        self.on_alarm: Callable[[int], None] = lambda _steps: None
        """Told from step ``alarm`` on how many there were; may kill or freeze."""
        self._held: list[_Step] = []
        self._context = Context()
        self._context.run(_OWNER.set, self)

    def start(self, work: Any) -> asyncio.Task[None]:
        """Run a coroutine as this process."""
        return asyncio.get_running_loop().create_task(work, context=self._context)

    def may_run(self, step: _Step) -> bool:
        """Tell whether a step is to be made now; keep it if not."""
        if self.alive and not self.frozen:
            self.steps += 1
            if self.steps < self.alarm:
                return True
            self.on_alarm(self.steps)
        if self.alive and not self.frozen:
            return True
        self._held.append(step)
        return False

    def freeze(self) -> None:
        """Make no step until ``thaw``."""
        self.frozen = True

    def thaw(self) -> None:
        """Go on, with all that has become due meanwhile."""
        self.frozen = False
        if self.alive:
            self._let_run()

    def die(self) -> None:
        """Make no step any more."""
        self.alive = False

    def bury(self) -> None:
        """After the end of everything: let cancelled tasks come to their end."""
        self.alive, self.frozen = True, False
        self.alarm = sys.maxsize
        self._let_run()

    def _let_run(self) -> None:
        held, self._held = self._held, []
        loop = asyncio.get_running_loop()
        for step in held:
            if not step.handle.cancelled():
                loop.call_soon(step, context=step.context)
