"""A database that others use while it is migrated: who holds locks, who writes, who reads along."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from disconnect_fanout.adapters.store.database import Database

_WRITE = """INSERT INTO events
(id, content_hash, sealed, disconnected_at, received_at, recipients, copies, writer)
VALUES (:id, 'c', decode('00', 'hex'), 1, 1, 0, 0, 'w')"""

HOLDERS = {
    "a dump": ("SELECT count(*) FROM {table}",),
    "a long write": ("INSERT INTO {table} SELECT * FROM {table} WHERE false",),
}


@asynccontextmanager
async def holding(url: str, what: str = "a dump", table: str = "events") -> AsyncIterator[None]:
    """Somebody else's transaction that is not ended: it keeps its snapshot and its locks."""
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn, server_settings={"application_name": "a-dump"})
    try:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        for statement in HOLDERS[what]:
            await connection.execute(statement.format(table=table))
        yield
    finally:
        await connection.close()


class Writer:
    """A worker: one event after the other; remembers the longest wait."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.longest_s = 0.0
        self.written = 0

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            begun = time.monotonic()
            async with self._database.record() as connection:
                await connection.execute(text(_WRITE), {"id": f"new_{self.written}"})
            self.longest_s = max(self.longest_s, time.monotonic() - begun)
            self.written += 1


class Lines:
    """What a person at the terminal reads."""

    def __init__(self) -> None:
        self._all = list[str]()
        self._more = asyncio.Event()

    def say(self, words: str) -> None:
        """Take a line."""
        self._all.append(words)
        self._more.set()

    def have(self, words: str) -> bool:
        """Tell whether a line has these words."""
        return any(words in one for one in self._all)

    async def hear(self, words: str) -> None:
        """Wait until one has."""
        async with asyncio.timeout(30):
            while not self.have(words):
                self._more.clear()
                await self._more.wait()
