"""Erasing in SQLite: rewrite the file, empty the write-ahead log.

Our connections overwrite what they delete (``secure_delete``); but what was deleted without that,
and copies that a page keeps of rows that moved to another one, go only when the file is rewritten.
Then the log holds the old pages until a checkpoint that nobody hinders cuts it off.
"""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from disconnect_fanout.adapters.store.engine import existing_file
from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.policy.wording.error_words import error_words

WITHIN_S = 30.0
"""How long to try while others are in the way."""
_BUSY_S = 2.0
_PAUSE_S = 0.1
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


async def erase(file: Path, most: int | None) -> str:
    """Return a value of ``Erased``.

    Args:
        file: the database.
        most: bytes that are rewritten; None for any number.

    Raises:
        StoreUnreachable: the disk is full, or the file is gone.
    """
    return await asyncio.to_thread(_erase, file, most, time.monotonic() + WITHIN_S)


def _erase(file: Path, most: int | None, deadline: float) -> str:
    try:
        with closing(_connected(file)) as connection:
            large = most is not None and file.stat().st_size > most
            rewritten = large or _tried(connection, "VACUUM", deadline)
            emptied = _tried(connection, "PRAGMA wal_checkpoint(TRUNCATE)", deadline)
    except (sqlite3.Error, OSError) as error:
        raise StoreUnreachable(error_words(error)) from error
    if not (rewritten and emptied):
        return "blocked"
    return "large" if large else "complete"


def _connected(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        existing_file(str(file)), uri=True, timeout=_BUSY_S, isolation_level=None
    )
    connection.execute("PRAGMA secure_delete=ON")
    return connection


def _tried(connection: sqlite3.Connection, statement: str, deadline: float) -> bool:
    """Try until it is done; a checkpoint does not fail but says that it was hindered."""
    while True:
        try:
            row = connection.execute(statement).fetchone()
            if row is None or row[0] == 0:
                return True
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _BUSY:
                raise
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE_S)
