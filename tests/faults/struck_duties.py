"""Duties that meet a bug: an exception thrown in where they happen to wait."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from random import Random
from typing import Any

from disconnect_fanout.flow.supervision.duties import Duties, Run

_LONGEST_S = 2.0


class ABug(Exception):
    """Thrown in."""


class Struck:
    """Awaits a coroutine, and throws a bug into it after a while.

    A task that waits is woken by a cancellation, in the place of which the bug is thrown.
    """

    def __init__(self, work: Coroutine[Any, Any, None], after_s: float) -> None:
        self._work = work
        self._after_s = after_s
        self._struck = False

    def __await__(self) -> Generator[Any, Any, None]:
        task = asyncio.current_task()
        assert task is not None
        timer = asyncio.get_running_loop().call_later(self._after_s, self._strike, task)
        thrown: BaseException | None = None
        try:
            while True:
                try:
                    waits_for = (
                        self._work.send(None) if thrown is None else self._work.throw(thrown)
                    )
                except StopIteration:
                    return
                thrown = None
                try:
                    yield waits_for
                except BaseException as error:  # noqa: BLE001 - it goes in where it belongs
                    thrown = self._instead_of(error, task)
        finally:
            timer.cancel()

    def _strike(self, task: "asyncio.Task[Any]") -> None:
        self._struck = True
        task.cancel()

    def _instead_of(self, error: BaseException, task: "asyncio.Task[Any]") -> BaseException:
        if not (self._struck and isinstance(error, asyncio.CancelledError)):
            return error
        self._struck = False
        task.uncancel()
        return ABug("thrown in")


def struck_duties(times: int, chance: Random, marker: Path) -> Callable[..., Duties]:
    """Return what makes duties of which so many runs are struck."""
    struck: list[str] = []

    def note(name: str) -> None:
        struck.append(name)
        marker.write_text("\n".join(struck) + "\n")

    class StruckDuties(Duties):
        def start(self, name: str, run: Run) -> None:
            async def shaky() -> None:
                work = run()
                assert asyncio.iscoroutine(work)
                if len(struck) >= times:
                    await work
                    return
                try:
                    await Struck(work, chance.uniform(0.0, _LONGEST_S))
                except ABug:
                    note(name)
                    raise

            super().start(name, shaky)

    return StruckDuties
