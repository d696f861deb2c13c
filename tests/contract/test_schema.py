"""The schema: migrated once, checked by everyone, never made by accident."""

import asyncio
import stat
import warnings
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SAWarning
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.crypto.vault import Unsealable, Vault, new_key
from disconnect_fanout.adapters.store import audit_trail
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.migration.migrate import _head, check_schema, migrate
from disconnect_fanout.adapters.store.platforms import open_breakers
from disconnect_fanout.adapters.store.schema import api_tables, key_tables, partial_indexes
from disconnect_fanout.adapters.store.schema import connect_table as connects
from disconnect_fanout.adapters.store.schema.tables import metadata
from disconnect_fanout.adapters.store.seals.event_seals import load_seals
from disconnect_fanout.flow.outage import StoreUnreachable

HEAD, NEWER = _head(), "9999"
KEYS = ("ix_links_email_key", "ix_links_google_id_key")
"""Indexes on expressions, which only their database reads; ``test_link_look_up`` explains them."""

ELSEWHERE = (
    api_tables.outbox,
    audit_trail.audit,
    connects.connects,
    key_tables.secret_keys,
    key_tables.unreadable_rows,
    open_breakers.open_breakers,
)
"""Of the other modules that hold tables: imported, so that they are looked at too."""


def modes(folder: Path) -> dict[str, int]:
    """Return what is in a folder, and who may read it."""
    return {one.name: stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()}


async def test_tables_and_migrations_agree(sql_world: SqlWorld) -> None:
    """What the migrations made is what the statements expect, down to types and indexes."""

    def differences(connection: Connection) -> list[object]:
        opts = {"compare_type": True, "include_name": lambda name, *_: name not in KEYS}
        context = MigrationContext.configure(connection, opts=opts)
        with warnings.catch_warnings(action="ignore", category=SAWarning):  # as for those of KEYS
            return list(compare_metadata(context, metadata))

    def indexes(connection: Connection) -> dict[str, bool]:
        found = inspect(connection).get_indexes("deliveries")
        return {
            str(one["name"]): any("where" in str(key) for key in one.get("dialect_options", {}))
            for one in found
        }

    assert all(one.metadata is metadata for one in ELSEWHERE)
    assert all(one.table in metadata.sorted_tables for one in partial_indexes.INDEXES)
    async with sql_world.database.read() as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.run_sync(indexes) == {
            "ix_deliveries_created_at": False,
            "ix_deliveries_dead": True,
            "ix_deliveries_dead_at": True,
            "ix_deliveries_dead_id": True,
            "ix_deliveries_decided": True,
            "ix_deliveries_discarded": True,
            "ix_deliveries_doomed": True,
            "ix_deliveries_due": True,
            "ix_deliveries_event_id": False,
            "ix_deliveries_refused": True,
            "ix_deliveries_replaying": True,
        }


async def test_migrating_twice_at_once_is_migrating_once(database_url: str) -> None:
    """One of two commands does it, the other waits and finds it done; the key is one key."""
    vault = Vault([new_key()])
    revisions = await asyncio.gather(*(migrate(database_url, vault) for _ in range(3)))
    assert sorted(revisions, key=str) == [(HEAD, HEAD), (HEAD, HEAD), (None, HEAD)]
    assert await migrate(database_url, vault) == (HEAD, HEAD)
    database = Database(database_url)
    first, second = [await load_seals(database, vault) for _ in range(2)]
    assert first.user_hash("a@example.com") == second.user_hash("a@example.com")
    await database.close()


async def test_a_database_says_what_it_lacks(database_url: str) -> None:
    """Before the migration the way out is named; after it nothing is wrong."""
    database = Database(database_url)
    assert "run: fanout migrate" in (await check_schema(database) or "")
    await migrate(database_url, Vault([new_key()]))
    assert await check_schema(database) is None
    await database.close()


async def test_a_foreign_and_an_older_schema_are_told_apart(sql_world: SqlWorld) -> None:
    """An older revision is named with the one that is needed; a newer one is as good."""
    for revision, words in (("0001", f"needs {HEAD}"), (NEWER, None)):
        async with sql_world.database.record() as connection:
            await connection.execute(
                text("UPDATE alembic_version SET version_num = :now"), {"now": revision}
            )
        problem = await check_schema(sql_world.database)
        assert problem is None if words is None else words in (problem or "")
    assert await migrate(sql_world.url, sql_world.vault) == (NEWER, NEWER)


async def test_looking_never_creates_a_file(tmp_path: Path) -> None:
    """Neither the check nor a worker makes a SQLite database; a missing one is an outage."""
    file = tmp_path / "missing.db"
    database = Database(f"sqlite+aiosqlite:///{file}")
    assert "there is no database" in (await check_schema(database) or "")
    for way in (database.read, database.intend, database.record):
        with pytest.raises(StoreUnreachable):
            async with way():
                pass
    assert modes(tmp_path) == {}
    await database.close()


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """A new SQLite file has mode 0600, and so have its companions; odd names are no matter."""
    file = tmp_path / "fan out?100%#.db"
    url = f"sqlite+aiosqlite:///{str(file).replace('%', '%25').replace('?', '%3F')}"
    await migrate(url, Vault([new_key()]))
    assert set(modes(tmp_path).values()) == {0o600}


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Plain words instead of a traceback."""
    with pytest.raises(StoreUnreachable, match="can't create"):
        await migrate(f"sqlite+aiosqlite:///{tmp_path}/nowhere/x.db", Vault([new_key()]))


async def test_a_postgres_that_lets_nobody_in_is_explained(postgres_url: str) -> None:
    """A missing database and a wrong password are mistakes to mend, not outages to wait for."""
    for url, words in (
        (f"{postgres_url}_missing", "createdb"),
        (postgres_url.replace("://fanout:", "://fanout:x"), "user and the password"),
    ):
        database = Database(url)
        assert words in (await check_schema(database) or "")
        await database.close()


async def test_another_secret_key_is_noticed_at_the_start(sql_world: SqlWorld) -> None:
    """A worker with the wrong key does not get as far as consuming."""
    with pytest.raises(Unsealable):
        await load_seals(sql_world.database, Vault([new_key()]))
