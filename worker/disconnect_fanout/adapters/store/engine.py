"""The engines: how connections to SQLite and to PostgreSQL are made."""

import asyncio
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiosqlite
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_BUSY_TIMEOUT_S = 15


def sqlite_engine(
    url: str, pool_size: int, *, synchronous: str = "FULL", begin: str = "BEGIN IMMEDIATE"
) -> AsyncEngine:
    """Return an engine whose transactions start with ``begin``.

    Writers take the write lock at the start: upgrading a read lock can fail halfway.
    """
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
        async_creator=partial(_open_existing, existing_file(make_url(url).database or "")),
    )

    def on_connect(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.isolation_level = None  # no hidden BEGIN: transactions start where we say
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine


def existing_file(path: str) -> str:
    """Return a URI for a file that is there.

    SQLite creates a missing file unless it is set not to, and only a URI can tell it.
    """
    return f"file:{quote(str(Path(path).absolute()))}?mode=rw"


async def _open_existing(uri: str) -> aiosqlite.Connection:
    """Open a file that is there.

    Where that fails, aiosqlite's thread still has a last word for this event loop, which a short
    command would have closed by then; so it is waited for.
    """
    connection = aiosqlite.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S)
    thread = connection._thread  # noqa: SLF001 - nothing else tells when it has ended
    thread.daemon = True
    try:
        return await connection
    except sqlite3.Error:
        await asyncio.to_thread(thread.join)
        raise
