"""Duties: what a process does all the time. One that fails is said at once, and begun again.

The others go on meanwhile: half a worker would be worse only if nobody knew, and readiness says so.
The end of the process comes through its drain alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from disconnect_fanout.flow.fact import DutyCrashed, Observe
from disconnect_fanout.flow.supervision.ending import AnyTask, ended
from disconnect_fanout.policy.faults.restart import Failures, failed

_SHOWN_S = 5.0
"""A failure stays visible a little longer than the rest, so that somebody who looks sees it."""

Run = Callable[[], Awaitable[None]]


class _EndedByItself(Exception):
    """A duty has no end of its own."""


class Duties:
    """Runs duties until they are ended.

    Args:
        observe: called for each failure.
        on_crash: called with the error itself, for its traceback.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        observe: Observe,
        on_crash: Callable[[BaseException], None],
        clock: Callable[[], float],
    ) -> None:
        self._observe = observe
        self._on_crash = on_crash
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._shaky_until: dict[str, float] = {}
        self._leaving = False
        self.hopeless = asyncio.Event()
        """One of them fails and fails: it is time to leave, in order."""

    def start(self, name: str, run: Run) -> None:
        """Begin a duty.

        Args:
            name: in plain words, unique.
            run: goes on until it is cancelled, or ends by itself after ``expect_ends``.
        """
        self._tasks[name] = asyncio.create_task(self._keep(name, run), name=name)

    def problems(self) -> list[str]:
        """Return what readiness has to say: each duty that has just failed."""
        now = self._clock()
        return [
            f"{name} failed and is begun again; the log says why"
            for name, until in self._shaky_until.items()
            if now < until
        ]

    def expect_ends(self) -> None:
        """Take an end for what it is from now on: the process is leaving."""
        self._leaving = True

    async def settle(self, names: Collection[str], within_s: float) -> None:
        """Wait a while for duties that end by themselves."""
        await asyncio.wait([self._tasks[name] for name in names], timeout=within_s)

    async def end(self, within_s: float) -> list[str]:
        """End all; return who still hangs."""
        self.expect_ends()
        left = await ended(self._tasks.values(), within_s)
        return sorted(name for name, task in self._tasks.items() if task in left)

    async def _keep(self, name: str, run: Run) -> None:
        failures = Failures()
        while not self._leaving:
            began = self._clock()
            error = await _outcome(run)
            if self._leaving and error is None:
                return
            failures = failed(failures, self._clock() - began)
            self._tell(name, error or _EndedByItself(name), failures)
            await asyncio.sleep(failures.rest_s)

    def _tell(self, name: str, error: BaseException, failures: Failures) -> None:
        self._shaky_until[name] = self._clock() + failures.rest_s + _SHOWN_S
        self._observe(DutyCrashed(name, failures.in_a_row, failures.rest_s))
        self._on_crash(error)
        if failures.hopeless:
            self.hopeless.set()


async def _outcome(run: Run) -> BaseException | None:
    """Run it; return what it raised.

    A frozen broker makes its client raise ``CancelledError`` where nobody has cancelled (measured).
    """
    try:
        await run()
    except asyncio.CancelledError as error:
        task: AnyTask | None = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return error
    except Exception as error:  # noqa: BLE001 - a bug in one duty must not end the others
        return error
    return None
