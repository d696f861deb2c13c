"""The schema: brought up to date by ``fanout migrate`` alone, and checked by everyone else."""

import asyncio
import os
import secrets
from pathlib import Path

from sqlalchemy import Connection, String, column, exists, func, inspect, select, table
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.migration.lock import migrating_alone
from disconnect_fanout.adapters.store.migration.lock_turns import LockTurns, Say
from disconnect_fanout.adapters.store.migration.migration_refused import (
    NO_SCHEMA,
    named_refusals,
)
from disconnect_fanout.adapters.store.schema.key_tables import secret_keys
from disconnect_fanout.adapters.store.schema.tables import installation, platforms
from disconnect_fanout.adapters.store.seals.secret_keys import note_key
from disconnect_fanout.flow.outage import StoreRefuses, StoreUnreachable
from disconnect_fanout.policy.session_limits import UNHURRIED
from disconnect_fanout.policy.wording.error_words import system_words

_MIGRATIONS = Path(__file__).parent / "migrations"
_VERSIONS = table("alembic_version", column("version_num", String))
LOCK_WAIT_S = 600.0
"""How long a statement of a migration waits for others: a dump takes its time."""
_LOOKUP_KEY_BYTES = 32
_WAY_OUT = "run: fanout migrate"
_NO_SUCH_DATABASE = "3D000"
_NOT_LET_IN = "28"


async def migrate(
    database_url: str,
    vault: Vault,
    *,
    say: Say = lambda _words: None,
    lock_wait_s: float = LOCK_WAIT_S,
) -> tuple[str | None, str]:
    """Create or upgrade the database; harmless when there is nothing to do.

    Two at once take turns, by SQLite's write lock or PostgreSQL's advisory lock. On PostgreSQL
    others go on meanwhile (``migrations.steps``), and what was interrupted is taken up again.

    Args:
        database_url: names the database.
        vault: seals the key with which users are looked up.
        say: takes a line about what is waited for.
        lock_wait_s: how long each statement may wait for others.

    Returns:
        The revision found, None for an empty database, and the one that is there now.

    Raises:
        MigrationRefused: PostgreSQL lets the role make no table; says what to do.
        StillLocked: others held a lock for too long.
        StoreUnreachable: the database does not answer, or its file can't be created.
    """
    _create_file(database_url)
    database = Database(database_url, limits=UNHURRIED)
    try:
        if database.sqlite:
            return await _at_once(database, vault)
        with named_refusals():
            return await _alone(database, vault, say, lock_wait_s)
    finally:
        await database.close()


async def _alone(
    database: Database, vault: Vault, say: Say, lock_wait_s: float
) -> tuple[str | None, str]:
    async with (
        database.outside_transactions(pausing=True) as connection,
        migrating_alone(connection, say, lock_wait_s),
    ):
        if await connection.run_sync(_revision) is None:
            return await _at_once(database, vault)
        turns = LockTurns(say, lock_wait_s)
        return await _step_by_step(database, connection, turns, vault)


async def _note_keys(connection: AsyncConnection, database: Database, vault: Vault) -> None:
    """Note the key that a new database begins with; of an older one, those it was sealed with."""
    if (await connection.execute(select(secret_keys.c.fingerprint).limit(1))).first() is not None:
        return
    sealed = [(await connection.execute(select(installation.c.lookup_key))).scalar_one()]
    sealed += (await connection.execute(select(platforms.c.secret))).scalars()
    for fingerprint in {one for each in sealed if (one := vault.opened_by(each)) is not None}:
        await note_key(connection, database, fingerprint)


async def _at_once(database: Database, vault: Vault) -> tuple[str | None, str]:
    """Everything in one transaction: all of it is there, or nothing."""
    async with database.record() as connection:
        revisions = await connection.run_sync(_upgrade)
        await _set_up(database, connection, vault)
    return revisions


async def _step_by_step(
    database: Database, connection: AsyncConnection, turns: LockTurns, vault: Vault
) -> tuple[str | None, str]:
    pid = (await connection.execute(select(func.pg_backend_pid()))).scalar_one()
    looking = asyncio.create_task(turns.look(database, pid))
    try:
        revisions = await connection.run_sync(_upgrade, turns)
    finally:
        looking.cancel()
        await asyncio.wait({looking})
    async with database.record() as recording:
        await _set_up(database, recording, vault)
    return revisions


async def _set_up(database: Database, connection: AsyncConnection, vault: Vault) -> None:
    row = {"id": 1, "lookup_key": vault.seal(_fresh_key()), "flushes": 0}
    statement = database.insert(installation).values(row)
    await connection.execute(statement.on_conflict_do_nothing())
    await _note_keys(connection, database, vault)


async def check_schema(database: Database) -> str | None:
    """Return what is wrong with the database in plain words and the way out, or None.

    A schema newer than this program is right: revisions only add, so that old workers go on.

    Raises:
        StoreUnreachable: the database does not answer.
    """
    if database.file is not None and not database.file.exists():
        return f"there is no database {database.file}; {_WAY_OUT}"
    try:
        async with database.read() as connection:
            return await connection.run_sync(_problem)
    except StoreRefuses as error:
        if error.sqlstate == _NO_SUCH_DATABASE:
            return f"{error}; create it with createdb, then {_WAY_OUT}"
        if error.sqlstate.startswith(_NOT_LET_IN):
            return f"{error}; check the user and the password in FANOUT_DATABASE_URL"
        raise


def _fresh_key() -> bytes:
    return secrets.token_bytes(_LOOKUP_KEY_BYTES)


def _create_file(database_url: str) -> None:
    """Make SQLite's file ours to read alone; it holds secrets, if only sealed ones."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        return
    try:
        os.close(os.open(url.database or "", os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreUnreachable(f"can't create {url.database}: {system_words(error)}") from error


def _head() -> str:
    """Return the newest revision of this program; they are numbered, and so are their files."""
    return max(file.name.partition("_")[0] for file in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def _revision(connection: Connection) -> str | None:
    """Return the revision of the database, read as Alembic writes it."""
    if not inspect(connection).has_table(_VERSIONS.name):
        return None
    return connection.execute(select(_VERSIONS.c.version_num)).scalar_one_or_none()


def _upgrade(connection: Connection, turns: LockTurns | None = None) -> tuple[str | None, str]:
    before, head = _revision(connection), _head()
    if before is not None and before >= head:
        return before, before
    # Imported here: every command checks the schema, and only this one changes it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes |= {"connection": connection, "turns": turns}
    command.upgrade(config, "head")
    return before, head


def _schemaless(connection: Connection) -> str | None:
    """A role's ``search_path`` may name schemas that are not there: nothing of ours is found."""
    if connection.dialect.name == "sqlite":
        return None
    if connection.execute(select(func.current_schema())).scalar_one() is not None:
        return None
    return NO_SCHEMA


def _problem(connection: Connection) -> str | None:
    revision, head = _revision(connection), _head()
    if revision is None and (problem := _schemaless(connection)) is not None:
        return problem
    if revision is None:
        kind = "is not ours" if inspect(connection).get_table_names() else "is empty"
        return f"the database {kind}; {_WAY_OUT}"
    if revision < head:
        return f"the database is at revision {revision}, this program needs {head}; {_WAY_OUT}"
    if not connection.execute(select(exists(installation.select()))).scalar_one():
        return f"the database was not set up to the end; {_WAY_OUT}"
    return None
