"""Connections that went mute in the middle of something: neither end learns of it by itself.

Ours waits for an answer, the server for our next word, and holds the locks of our transaction. A
time-out can't tell this from a slow statement; the server can. So when a connection was lent for
long, the server is asked over a new one whether it works for us or waits for us. In the second case
both ends are ended: the work is done again at once, and nobody waits for our locks.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from disconnect_fanout.adapters.store.postgres.live_connections import LiveConnections
from disconnect_fanout.adapters.store.postgres.session import Backend, Connect, DriverConnection
from disconnect_fanout.policy.session_limits import (
    CONNECT_S,
    LOOK_AGAIN_S,
    LOOK_EVERY_S,
    MUTE_AFTER_S,
)

# ClientWrite: it has an answer for us, and nobody takes it.
_SESSIONS = """
SELECT pid, backend_start,
       (state LIKE 'idle%' OR wait_event_type = 'Client')
       AND state_change < clock_timestamp() - $2 * interval '1 second'
FROM pg_stat_activity WHERE pid = ANY($1)
"""
_END = "SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid"


class MuteWatch:
    """Works while connections are lent, and only looks at those that were lent for long.

    Args:
        live: the connections.
        backends: who serves them.
        connect: opens a bare connection.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        live: LiveConnections,
        backends: Mapping[DriverConnection, Backend],
        connect: Connect,
        clock: Callable[[], float],
    ) -> None:
        self._live = live
        self._backends = backends
        self._connect = connect
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        live.on_lent = self._wake

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _wake(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._live.lent:
            overdue = self._overdue()
            looked = bool(overdue) and await self._look(overdue)
            await asyncio.sleep(LOOK_AGAIN_S if looked else LOOK_EVERY_S)

    def _overdue(self) -> list[DriverConnection]:
        now = self._clock()
        return [
            one
            for one, since in self._live.lent.items()
            if now - since > MUTE_AFTER_S and not one.is_closed() and one in self._backends
        ]

    async def _look(self, overdue: Sequence[DriverConnection]) -> bool:
        """Ask the server about these; tell whether it has answered."""
        try:
            async with asyncio.timeout(2 * CONNECT_S):
                connection = await self._connect()
                try:
                    await self._judge(connection, overdue)
                finally:
                    connection.terminate()
        except Exception:  # noqa: BLE001 - whoever uses the database says what is wrong with it
            return False
        return True

    async def _judge(self, connection: Any, overdue: Sequence[DriverConnection]) -> None:  # noqa: ANN401
        theirs = {one: self._backends[one] for one in overdue}
        pids = [one.pid for one in theirs.values()]
        rows = await connection.fetch(_SESSIONS, pids, MUTE_AFTER_S)
        waiting = {Backend(pid, started): waits for pid, started, waits in rows}
        mute = [one for one in overdue if waiting.get(theirs[one], True)]
        for one in mute:
            one.terminate()
        if mute:
            self._live.end_idle()
        if left := [theirs[one].pid for one in mute if theirs[one] in waiting]:
            with contextlib.suppress(Exception):  # else its own time-out ends it
                await connection.execute(_END, left)
