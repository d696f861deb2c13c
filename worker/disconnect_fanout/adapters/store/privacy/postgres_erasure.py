"""Erasing in PostgreSQL: rewrite the tables in which somebody may have been named in clear.

An UPDATE or a DELETE leaves the old row, a plain VACUUM no more than leave to write over it. VACUUM
FULL copies what is left into a fresh file, with its indexes, and cuts the old one off. It locks its
table; it is tried with a short lock time-out, because whoever waits for that lock holds up all who
come later.
"""

import asyncio
import time

from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database

WITHIN_S = 30.0
"""How long to try while others are in the way."""
TABLES = ("links", "deliveries", "attempts", "answers")
"""Clear once: the owner's links, an operator's words, what platforms answered, bare digests."""
_PAUSE_S = 0.5
_IN_THE_WAY = ("55P03", "40P01")  # lock_not_available, deadlock_detected
_ABOUT = text(
    "SELECT pg_has_role(relowner, 'USAGE') AS ours, pg_total_relation_size(oid) AS bytes"
    " FROM pg_class WHERE oid = to_regclass(:name)"
)


async def erase(database: Database, most: int | None) -> str:
    """Return a value of ``Erased``.

    Args:
        database: whose tables.
        most: bytes of a table that is rewritten; None for any number.

    Raises:
        StoreUnreachable: the database does not answer.
    """
    deadline = time.monotonic() + WITHIN_S
    async with database.outside_transactions() as connection:
        await connection.execute(text("SET lock_timeout = '1s'"))
        found = {await _rewritten(connection, name, most, deadline) for name in TABLES}
    return next((one for one in ("blocked", "not_owner", "large") if one in found), "complete")


async def _rewritten(
    connection: AsyncConnection, name: str, most: int | None, deadline: float
) -> str:
    about = (await connection.execute(_ABOUT, {"name": name})).one()
    if not about.ours:
        return "not_owner"
    if most is not None and about.bytes > most:
        await connection.execute(text(f"VACUUM {name}"))
        return "large"
    while not await _tried(connection, text(f"VACUUM (FULL, ANALYZE) {name}")):
        if time.monotonic() >= deadline:
            return "blocked"
        await asyncio.sleep(_PAUSE_S)
    return "complete"


async def _tried(connection: AsyncConnection, statement: TextClause) -> bool:
    """Tell whether it was done; False if the lock was not to be had."""
    try:
        await connection.execute(statement)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _IN_THE_WAY:
            raise
        return False
    return True
