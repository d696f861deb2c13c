"""Readiness: whether this worker does its duty now, and if not, why, in plain words."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from disconnect_fanout.domain.outcome import Shortage
from disconnect_fanout.flow.fact import (
    AttemptGivenBack,
    DependencyChanged,
    Fact,
    RanShort,
    TopologyRestored,
)

SHORT_FOR_S = 10.0
"""What was wanting is said to be so long; what was given back is tried again sooner than that."""

RESTORED_FOR_S = 10.0
"""What was put back at once is said for a while, so that whoever looks every second sees it."""


@dataclass(slots=True)
class Readiness:
    """What the worker knows of itself."""

    started: bool = False
    stopping: bool = False
    database: Callable[[], str | None] = lambda: None
    consuming: Callable[[], bool] = lambda: False
    unattached: Callable[[], str | None] = lambda: None
    platforms: int = 0
    silence: Callable[[], str | None] = lambda: None
    unreadable: tuple[str, ...] = ()
    flawed: tuple[str, ...] = ()
    duties: Callable[[], list[str]] = list
    held: Callable[[], list[str]] = list
    clock: Callable[[], float] = time.monotonic
    shortage: tuple[Shortage, float] | None = None
    restored: tuple[str, float] | None = None
    unrecorded: str | None = None

    def observe(self, fact: Fact) -> None:
        """Learn from what happened."""
        match fact:
            case AttemptGivenBack(shortage=shortage) | RanShort(shortage=shortage):
                self.shortage = shortage, self.clock()
            case TopologyRestored(what=what):
                self.restored = ", ".join(what), self.clock()
            case DependencyChanged(what="database", reachable=reachable, detail=detail):
                self.unrecorded = None if reachable else detail
            case _:
                pass

    def problems(self) -> list[str]:
        """Return what keeps the worker from its duty; empty when it is ready."""
        if self.stopping:
            return ["stopping"]
        if not self.started:
            return ["starting"]
        found = []
        if self.shortage is not None and self.clock() - self.shortage[1] < SHORT_FOR_S:
            found.append(f"this machine or process is short: {self.shortage[0].words}")
        if self.restored is not None and self.clock() - self.restored[1] < RESTORED_FOR_S:
            found.append(f"was gone at the broker and was put back: {self.restored[0]}")
        if (problem := self._consumption()) is not None:
            found.append(problem)
        if self.unreadable:
            names = ", ".join(self.unreadable)
            found.append(f"FANOUT_SECRET_KEY does not open the secret of: {names}")
        found += [f"nothing can be sent to {one}" for one in self.flawed]
        return [*found, *self.held(), *self.duties()]

    def _consumption(self) -> str | None:
        """Return what keeps events from being taken, or outcomes from being written."""
        if (database := self.database()) is not None:
            return database
        if self.unrecorded is not None:  # whatever else it takes, outcomes wait
            return f"the database takes no outcome: {self.unrecorded}"
        if not self.platforms:
            return "no platform is registered: run `fanout platforms add`"
        if not self.consuming():
            why = self.unattached()
            return "not attached to the broker's queue" + (f": {why}" if why else "")
        return self.silence()
