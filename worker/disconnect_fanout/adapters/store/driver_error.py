"""The one place where the drivers' errors get a name.

What a database refuses is an outage unless it is the fault of the rows themselves (decision 0023).
"""

import re
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from disconnect_fanout.flow.outage import DataRefused, StoreFull, StoreRefuses, StoreUnreachable
from disconnect_fanout.policy.faults.blame import Fault, blamed
from disconnect_fanout.policy.faults.own_fault import shortage_of
from disconnect_fanout.policy.wording.error_words import error_words

# SQLite says these when the disk is full, the file is gone or somebody holds the lock for long.
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
# A quota or a limit of the process says so in other words than a full disk; so does the memory that
# readers share, which is a file too, so that a full disk hinders them as well (measured).
_SQLITE_NO_ROOM = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMOPEN,
    sqlite3.SQLITE_IOERR_SHMSIZE,
)
_DISK_FULL = "53100"  # PostgreSQL's
_SQLITE_OF_THE_DATA = (sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG)
# Somebody's trigger may quote what it likes; addresses and Google ids must not come further.
_PERSONAL = re.compile(r"\S+@\S+|\d{9,}")


@asynccontextmanager
async def named_errors(file: Path | None = None) -> AsyncIterator[None]:
    """Map what the drivers raise to the flow's names, and hide users' rows.

    Args:
        file: SQLite's, which tells of which disk is spoken; None for a server.
    """
    try:
        yield
    except DBAPIError as error:
        if _full(error.orig):
            raise StoreFull(f"{_words(error.orig or error)}; {_room(file)}") from None
        raise _named(error) from None
    except (OverflowError, UnicodeError) as error:  # of SQLite's driver, which quotes the value
        raise DataRefused(type(error).__name__) from None
    except Exception as error:
        if not (_while_connecting(error) or shortage_of(error)):
            raise
        raise StoreUnreachable(_words(error)) from error


def _named(error: DBAPIError) -> Exception:
    cause, state = error.orig or error, _sqlstate(error.orig)
    if error.connection_invalidated or shortage_of(cause):
        return StoreUnreachable(_words(cause))
    match _fault(cause, state):
        case Fault.ANSWER:
            return StoreUnreachable(_words(cause))
        case Fault.EVERYBODY:
            return StoreRefuses(_words(cause), state)
        case Fault.DATA:
            return DataRefused(_discreet(cause, state), state)


def _full(cause: BaseException | None) -> bool:
    code = getattr(cause, "sqlite_errorcode", None)
    return code in _SQLITE_NO_ROOM if code is not None else _sqlstate(cause) == _DISK_FULL


def _room(file: Path | None) -> str:
    where = "the database's disk" if file is None else f"the disk of {file.absolute()}"
    return f"make room on {where}, or see why it fails, then try again; what was written is kept"


def _while_connecting(error: Exception) -> bool:
    """PostgreSQL's driver is asked only if it is there: with SQLite nobody imports it."""
    driver = sys.modules.get("asyncpg")
    return isinstance(error, (OSError, PoolTimeout)) or (
        driver is not None and isinstance(error, driver.InterfaceError)
    )


def _fault(cause: BaseException, state: str) -> Fault:
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        if code & 0xFF in _SQLITE_PASSING:
            return Fault.ANSWER
        return Fault.DATA if code & 0xFF in _SQLITE_OF_THE_DATA else Fault.EVERYBODY
    if not state and _unbindable(cause):
        return Fault.DATA
    return blamed(state)


def _unbindable(cause: BaseException) -> bool:
    """Tell whether the driver itself could not make a parameter of a value."""
    driver = sys.modules.get("asyncpg")
    return isinstance(cause, sqlite3.ProgrammingError | sqlite3.InterfaceError) or (
        driver is not None and isinstance(cause.__cause__, driver.DataError)
    )


def _sqlstate(cause: BaseException | None) -> str:
    return str(getattr(cause, "sqlstate", None) or "")


def _words(cause: BaseException) -> str:
    """The error's kind and first line, without the statement and its parameters."""
    return _PERSONAL.sub("…", error_words(cause))


def _discreet(cause: BaseException, state: str) -> str:
    """A constraint's words name columns; those of a value that is no such value quote it."""
    quotes = state.startswith("22") or (not state and not hasattr(cause, "sqlite_errorcode"))
    return f"{type(cause).__name__} {state}".strip() if quotes else _words(cause)
