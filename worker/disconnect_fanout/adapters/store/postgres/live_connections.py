"""Which of a pool's connections are alive, so that nobody is handed a dead one.

A lost connection says so at once if it was reset; one that went mute says nothing, ever. So a
connection that was idle is asked for a sign of life before it is lent, and when one turns out dead
or a command timed out, all idle ones are ended: what killed one has most likely killed them all,
and each would cost its finder a time-out. Ended by force: a polite good-bye waits for an answer.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

from disconnect_fanout.adapters.store.postgres.session import DriverConnection
from disconnect_fanout.policy.session_limits import PING_AFTER_S, PING_S


class LiveConnections:
    """Of all engines to one database.

    Args:
        clock: seconds, monotonic.

    Attributes:
        lent: connections in use, and since when.
        on_lent: called whenever one is lent.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._idle: dict[DriverConnection, float] = {}
        self.lent: dict[DriverConnection, float] = {}
        self.on_lent: Callable[[], None] = lambda: None

    def watch(self, engine: AsyncEngine) -> None:
        """Look after this engine's connections from now on."""
        pool = engine.sync_engine.pool
        event.listen(pool, "checkout", self._lend)
        event.listen(pool, "checkin", self._take_back)
        event.listen(pool, "close", self._forget)
        event.listen(engine.sync_engine, "handle_error", self._failed)

    def end_idle(self) -> None:
        """End all that nobody uses; the pool opens new ones in their places."""
        for connection in self._idle:
            connection.terminate()

    def _lend(self, dbapi: Any, _record: object, _fairy: object) -> None:  # noqa: ANN401
        connection = dbapi.driver_connection
        since = self._idle.pop(connection, None)
        if since is not None and not self._alive(connection, self._clock() - since):
            connection.terminate()
            self.end_idle()
            raise DisconnectionError("a connection was lost while it was idle")
        self.lent[connection] = self._clock()
        self.on_lent()

    def _alive(self, connection: DriverConnection, idle_s: float) -> bool:
        if connection.is_closed():
            return False
        return idle_s < PING_AFTER_S or await_only(_answers(connection))

    def _take_back(self, dbapi: Any, _record: object) -> None:  # noqa: ANN401
        if dbapi is not None:  # else it was invalid, and is forgotten by now
            connection = dbapi.driver_connection
            self.lent.pop(connection, None)
            self._idle[connection] = self._clock()

    def _forget(self, dbapi: Any, _record: object) -> None:  # noqa: ANN401
        connection = dbapi.driver_connection
        self.lent.pop(connection, None)
        self._idle.pop(connection, None)

    def _failed(self, context: ExceptionContext) -> None:
        """Make an end of a connection that can't be trusted any more.

        The driver's time-out is no disconnect to SQLAlchemy: it would lend the connection again.
        After a cancellation it would wait for a good-bye.
        """
        error = context.original_exception
        unanswered = isinstance(error, TimeoutError) or not isinstance(error, Exception)
        if unanswered and context.connection is not None:
            driver = context.connection.connection.driver_connection
            if driver is not None:
                driver.terminate()
            context.is_disconnect = True
        if isinstance(error, Exception) and context.is_disconnect:
            self.end_idle()
        context.invalidate_pool_on_disconnect = False  # what is dead has just been ended


async def _answers(connection: DriverConnection) -> bool:
    """Tell whether the server answers; any other exception is our own mistake, and is raised.

    An empty statement would do, but for it asyncpg 0.32 raises an AttributeError.
    """
    import asyncpg  # noqa: PLC0415 - with SQLite nobody imports it

    try:
        async with asyncio.timeout(PING_S):
            await connection.execute("SELECT")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):  # TimeoutError is an OSError
        return False
    return True
