"""A pooler between us and PostgreSQL: in session mode it is welcome, in another it is refused.

What we set in a session (time-outs, how a commit is made) and what we prepare there must be there
in the next transaction. Where a pooler lends a session for a transaction only, the settings are
lost or are somebody else's, and prepared statements collide: it seems to work until there is load.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from disconnect_fanout.flow.outage import StoreRefuses
from disconnect_fanout.policy.session_limits import CONNECT_S

SHARED_SESSION = "POOLER"
"""Stands where a refusal has PostgreSQL's code; no server says this."""

_WORDS = (
    "a pooler lends each transaction another session (transaction or statement mode); "
    "set its pool_mode to session for this database, or connect directly"
)
_PID = "SELECT pg_backend_pid()"
_TRIES = 3
_NO_TRANSACTIONS = "statement pooling mode"  # PgBouncer's words for a BEGIN in statement mode


async def refuse_shared_sessions(
    connection: Any,  # noqa: ANN401 - asyncpg ships no types
    connect: Callable[..., Awaitable[Any]],
) -> None:
    """Return if sessions are our own for as long as we are connected.

    Another connection begins a transaction. If it has our session, or we have another one then, the
    sessions are shared. A pooler that has no second session for us lets it wait: that is no proof.

    Raises:
        StoreRefuses: they are shared.
    """
    import asyncpg  # noqa: PLC0415 - with SQLite nobody imports it

    try:
        for _ in range(_TRIES):
            if await _shared(connection, connect):
                raise StoreRefuses(_WORDS, SHARED_SESSION)
    except (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError):
        raise StoreRefuses(_WORDS, SHARED_SESSION) from None
    except asyncpg.ConnectionDoesNotExistError as error:
        if _NO_TRANSACTIONS not in str(error):
            raise
        raise StoreRefuses(_WORDS, SHARED_SESSION) from None


async def _shared(connection: Any, connect: Callable[..., Awaitable[Any]]) -> bool:  # noqa: ANN401
    before = await connection.fetchval(_PID, timeout=CONNECT_S)
    try:
        other = await connect()
    except TimeoutError:
        return False
    try:
        await other.execute("BEGIN", timeout=CONNECT_S)
        theirs = await other.fetchval(_PID, timeout=CONNECT_S)
        ours = await connection.fetchval(_PID, timeout=CONNECT_S)
        await other.execute("ROLLBACK", timeout=CONNECT_S)
    except TimeoutError:
        return False
    finally:
        other.terminate()
    return theirs in {before, ours} or ours != before
