"""Taking turns at PostgreSQL's locks, so that nobody waits for long behind somebody who waits."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import TypeVar

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.migration.still_locked import StillLocked
from disconnect_fanout.flow.outage import StoreUnreachable

Answer = TypeVar("Answer")
Say = Callable[[str], None]

_TURN_MS = 1500
"""So long a statement may keep everybody waiting behind it.

Longer than PostgreSQL's ``deadlock_timeout`` (1 s), after which an autovacuum makes way.
"""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0
_LOST_A_RACE = ("55P03", "40P01")  # the lock's time is over; a deadlock was broken
_LOOK_EVERY_S = 0.25
_SAY_EVERY_S = 10.0
_HOLDERS = text(
    "SELECT a.pid, a.application_name FROM pg_stat_activity a"
    " WHERE a.pid = ANY(pg_blocking_pids(:pid)) ORDER BY a.pid LIMIT 5"
).bindparams(bindparam("pid"))


class LockTurns:
    """Carries out statements that need locks; remembers who held them.

    Args:
        say: where a person who waits reads what for.
        lock_wait_s: how long one statement may try.
    """

    def __init__(self, say: Say, lock_wait_s: float) -> None:
        self._say = say
        self._lock_wait_s = lock_wait_s
        self._doing = ""
        self._holders = ""
        self._said = ("", 0.0)

    def take(
        self,
        connection: Connection,
        name: str,
        act: Callable[[], Answer],
        *,
        in_the_way: bool = True,
    ) -> Answer:
        """Return what ``act`` returns once it got its locks. Runs where SQLAlchemy is awaited.

        Args:
            connection: outside of a transaction, so that a failure leaves nothing locked.
            name: of what is done.
            act: may be called again.
            in_the_way: whether others wait behind it; else it may wait at a stretch.

        Raises:
            StillLocked: it did not within the time.
        """
        self._doing, self._holders = name, ""
        deadline = time.monotonic() + self._lock_wait_s
        for turn in count():
            left_ms = max(1, int((deadline - time.monotonic()) * 1000))
            limit = min(_TURN_MS, left_ms) if in_the_way else left_ms
            connection.exec_driver_sql(f"SET lock_timeout = {limit}")
            try:
                return act()
            except DBAPIError as error:
                if str(getattr(error.orig, "sqlstate", None)) not in _LOST_A_RACE:
                    raise
            if time.monotonic() >= deadline:
                break
            await_only(asyncio.sleep(_pause_s(turn)))
        raise StillLocked(
            f"for {self._lock_wait_s:g} s others held the lock that this needs: {name}"
            f"{self._by()}. End them or wait, then run: fanout migrate"
        )

    async def look(self, database: Database, pid: int) -> None:
        """Look who stands in the way of the session ``pid``, and say so, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            with suppress(StoreUnreachable):
                async with database.read() as connection:
                    rows = (await connection.execute(_HOLDERS, {"pid": pid})).all()
                if rows:
                    found = [f"process {row[0]} ({_known(row[1])})" for row in rows]
                    self._holders = ", ".join(found)
                    self._waiting()

    def _waiting(self) -> None:
        words = f"waiting for a lock: {self._doing}{self._by()}"
        said, at = self._said
        now = time.monotonic()
        if words != said or now - at >= _SAY_EVERY_S:
            self._said = (words, now)
            self._say(words)

    def _by(self) -> str:
        return f"; held by {self._holders}" if self._holders else ""


def _pause_s(turn: int) -> float:
    """Grow, and differ: two who try in step would meet again."""
    longest: float = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(turn, 10))
    return longest * random.uniform(0.75, 1.25)  # noqa: S311 - no secret


def _known(application: str | None) -> str:
    """The name that a session gave itself; anybody may write anything there."""
    name = "".join(one for one in (application or "") if one.isprintable())[:40]
    return name or "without a name"
