"""Connections to the database, and what its two dialects say differently.

Three ways in: ``read`` (no lock), ``intend`` (a commit that need not reach the disk) and ``record``
(a commit that does, and takes the earlier ones with it). SQLite has one writer, so there both kinds
of write queue here instead of spinning on its lock; commands in other processes meet its busy
time-out.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Table,
    Text,
    any_,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from disconnect_fanout.adapters.store.driver_error import named_errors
from disconnect_fanout.adapters.store.engine import sqlite_engine
from disconnect_fanout.flow.database_health import Ask, DatabaseHealth
from disconnect_fanout.flow.left_out import LeftOut
from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.flow.set_aside import SetAside
from disconnect_fanout.policy.session_limits import WORKING, SessionLimits

# As a subquery the clock is read once for a statement. Bare, PostgreSQL would read it for each row
# and could not look it up in an index.
_SQLITE_NOW = "(SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))"
_POSTGRES_NOW = "(SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT))"

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

    from disconnect_fanout.adapters.store.postgres.engines import PostgresEngines

Insert: TypeAlias = "postgresql.Insert | sqlite.Insert"


class Database:
    """The engines behind a URL.

    Args:
        url: ``sqlite+aiosqlite:///file.db`` or ``postgresql+asyncpg://user:…@host/name``.
        pool_size: connections to PostgreSQL for each of the two kinds of commit.
        limits: of the sessions there.
    """

    def __init__(self, url: str, *, pool_size: int = 4, limits: SessionLimits = WORKING) -> None:
        self.sqlite = make_url(url).get_backend_name() == "sqlite"
        self.file = Path(make_url(url).database or "") if self.sqlite else None
        """SQLite's file. Opening never creates it: that is ``fanout migrate``'s business."""
        if self.sqlite:
            self._reader = sqlite_engine(url, pool_size, begin="BEGIN")
            self._intender = sqlite_engine(url, 1, synchronous="NORMAL")
            self._recorder = sqlite_engine(url, 1)
        else:
            self._postgres = _postgres(url, pool_size, limits)
            self._reader = self._recorder = self._postgres.recorder
            self._intender = self._postgres.intender
        self.health = DatabaseHealth(time.monotonic)
        """What is known of it; every question here is noted there."""
        self.left_out = LeftOut()
        """Hears of each row that a command can't show."""
        self.set_aside = SetAside()
        """Hears of each row that could not be read."""
        self._turn: AbstractAsyncContextManager[object] = (
            asyncio.Lock() if self.sqlite else nullcontext()
        )

    @property
    def now_ms(self) -> ColumnElement[int]:
        """The database's own clock as an SQL expression: milliseconds since 1970."""
        return literal_column(_SQLITE_NOW if self.sqlite else _POSTGRES_NOW, BigInteger)

    def among(self, column: ColumnElement[Any], values: Collection[str]) -> ColumnElement[bool]:
        """``column`` is one of ``values``: one bound parameter, however many they are.

        SQLite bounds the number of parameters, and PostgreSQL plans each number of them anew.
        """
        if self.sqlite:
            listed = func.json_each(json.dumps(list(values))).table_valued("value")
            return column.in_(select(listed.c.value))
        return column == any_(bindparam(None, list(values), type_=ARRAY(Text)))

    def insert(self, table: Table) -> Insert:
        """An INSERT that can say what happens on a conflict."""
        if self.sqlite:  # a dialect takes longer to import than most commands to do their work
            from sqlalchemy.dialects import sqlite  # noqa: PLC0415

            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return postgresql.insert(table)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading."""
        with self.health.asking(Ask.READ):
            async with named_errors(self.file), self._reader.connect() as connection:
                yield connection

    def intend(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction whose commit survives a crash of this process, not yet of the machine."""
        return self._transaction(Ask.INTEND, self._intender)

    def record(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that is on disk when the block ends."""
        return self._transaction(Ask.RECORD, self._recorder)

    @asynccontextmanager
    async def _transaction(self, what: Ask, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        committing = False
        try:
            with self.health.asking(what):
                async with named_errors(self.file), self._turn, engine.begin() as connection:
                    yield connection
                    committing = True
        except StoreUnreachable as error:
            error.maybe_done = committing
            raise

    @asynccontextmanager
    async def outside_transactions(
        self, *, pausing: bool = False
    ) -> AsyncIterator[AsyncConnection]:
        """PostgreSQL only: a connection for what takes its time and is no transaction.

        Args:
            pausing: it may say nothing for seconds, and is well.
        """
        engine = self._postgres.unhurried(pausing=pausing)
        try:
            async with named_errors(self.file), engine.connect() as connection:
                yield await connection.execution_options(isolation_level="AUTOCOMMIT")
        finally:
            await engine.dispose()

    async def close(self) -> None:
        """Close all connections."""
        if not self.sqlite:
            await self._postgres.close()
        for engine in {self._reader, self._intender, self._recorder}:
            await engine.dispose()


def _postgres(url: str, pool_size: int, limits: SessionLimits) -> "PostgresEngines":
    """Imported when needed: with SQLite nobody needs it."""
    from disconnect_fanout.adapters.store.postgres.engines import PostgresEngines  # noqa: PLC0415

    return PostgresEngines(url, pool_size, limits)
