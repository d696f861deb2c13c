"""The one place where the drivers' errors get a name."""

import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.policy.own_fault import shortage_of

# SQLite says these when the disk is full, the file is gone or somebody holds the lock for long:
# conditions that pass, unlike a constraint that fails.
_SQLITE_PASSING = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
)
# PostgreSQL's classes of conditions that pass: connection, resources, intervention, system,
# and transactions that lost a race.
_POSTGRES_PASSING = ("08", "53", "57", "58", "40", "55P03", "25006")


class StatementRefused(Exception):
    """The database refused: a mistake here, a schema or a URL that is not ours.

    Says the error's kind and first line only: what follows it may quote a user's row.

    Attributes:
        sqlstate: PostgreSQL's code, empty for SQLite.
    """

    def __init__(self, words: str, sqlstate: str = "") -> None:
        super().__init__(words)
        self.sqlstate = sqlstate


@asynccontextmanager
async def named_errors() -> AsyncIterator[None]:
    """Map what the drivers raise in an outage to ``StoreUnreachable``, and hide users' rows."""
    try:
        yield
    except DBAPIError as error:
        cause = error.orig or error
        if error.connection_invalidated or _passing(cause) or shortage_of(cause):
            raise StoreUnreachable(_words(cause)) from error
        raise StatementRefused(_words(cause), _sqlstate(cause)) from None
    except Exception as error:
        if not (_while_connecting(error) or shortage_of(error)):
            raise
        raise StoreUnreachable(_words(error)) from error


def _while_connecting(error: Exception) -> bool:
    """PostgreSQL's driver is asked only if it is there: with SQLite nobody imports it."""
    driver = sys.modules.get("asyncpg")
    return isinstance(error, (OSError, PoolTimeout)) or (
        driver is not None and isinstance(error, driver.InterfaceError)
    )


def _passing(cause: BaseException) -> bool:
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_PASSING
    return _sqlstate(cause).startswith(_POSTGRES_PASSING)


def _sqlstate(cause: BaseException) -> str:
    return str(getattr(cause, "sqlstate", None) or "")


def _words(cause: BaseException) -> str:
    """The error's kind and first line, without the statement and its parameters."""
    line = (str(cause).splitlines() or [""])[0]
    return f"{type(cause).__name__}: {line}"[:300]
