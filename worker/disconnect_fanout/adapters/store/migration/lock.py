"""One migration at a time on PostgreSQL, and a session that ends with whoever migrates."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.migration.still_locked import StillLocked

_LOCK = 0x66616E6F7574  # "fanout"; older versions take the same
_ASK_AGAIN_S = 0.5
# What a server does not know, because it is older, is left out. The first lets it notice within a
# second that we were killed: else it would go on, with our lock, until an index is built.
_SETTINGS = {"client_connection_check_interval": "1s", "idle_session_timeout": "0"}
_SET = text("SELECT set_config(name, :value, false) FROM pg_settings WHERE name = :name")


@asynccontextmanager
async def migrating_alone(
    connection: AsyncConnection, say: Callable[[str], None], lock_wait_s: float
) -> AsyncIterator[None]:
    """Hold the lock of whoever migrates; it ends with the session, however we leave.

    Asked for again and again: whoever waits for it inside the database has a snapshot there, for
    which an index that is built concurrently would wait in turn.

    Args:
        connection: outside of a transaction.
        say: takes a line about what is waited for.
        lock_wait_s: how long to wait for another one.

    Raises:
        StillLocked: it was not done within that time.
    """
    for name, value in _SETTINGS.items():
        with suppress(DBAPIError):  # some systems can't watch a connection
            await connection.execute(_SET, {"name": name, "value": value})
    deadline, said = time.monotonic() + lock_wait_s, False
    while not (await connection.execute(select(func.pg_try_advisory_lock(_LOCK)))).scalar_one():
        if time.monotonic() >= deadline:
            raise StillLocked("another fanout migrate is still running; wait for it to end")
        if not said:
            say("another fanout migrate is running; waiting for it to end")
        said = True
        await asyncio.sleep(_ASK_AGAIN_S)
    yield
