"""Readiness: whether this worker does its duty now, and if not, why, in plain words."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from disconnect_fanout.domain.outcome import Shortage
from disconnect_fanout.flow.fact import AttemptGivenBack, DependencyChanged, Fact, RanShort

SHORT_FOR_S = 10.0
"""What was wanting is said to be so long; what was given back is tried again sooner than that."""


@dataclass(slots=True)
class Readiness:
    """What the worker knows of itself."""

    started: bool = False
    stopping: bool = False
    database: bool = False
    commits: bool = True
    consuming: Callable[[], bool] = lambda: False
    platforms: int = 0
    silence: Callable[[], str | None] = lambda: None
    unreadable: tuple[str, ...] = ()
    clock: Callable[[], float] = time.monotonic
    shortage: tuple[Shortage, float] | None = None

    def observe(self, fact: Fact) -> None:
        """Learn from what happened."""
        match fact:
            case DependencyChanged(what="database", reachable=reachable):
                self.commits = reachable
            case AttemptGivenBack(shortage=shortage) | RanShort(shortage=shortage):
                self.shortage = shortage, self.clock()
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
        if not self.database:
            found.append("the database does not answer")
        elif not self.commits:
            found.append("the database takes no commit: is its disk full, or is it locked?")
        elif not self.platforms:
            found.append("no platform is registered: run `fanout platforms add`")
        elif not self.consuming():
            found.append("not attached to the broker's queue")
        elif (silence := self.silence()) is not None:
            found.append(silence)
        if self.unreadable:
            names = ", ".join(self.unreadable)
            found.append(f"FANOUT_SECRET_KEY does not open the secret of: {names}")
        return found
