"""A database in which any row can stand: as from before there were rules."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Table, insert, text
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.installation import Installation

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.seals.event_seals import load_seals


async def lift_rules(world: SqlWorld) -> None:
    """Drop what refuses bad rows."""
    async with world.database.record() as connection:
        if world.database.sqlite:
            listed = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            drop = "DROP TRIGGER {0}"
        else:
            listed = (
                "SELECT conrelid::regclass || ' ' || conname FROM pg_constraint "
                "WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
            )
            drop = "ALTER TABLE {0} DROP CONSTRAINT {1}"
        for name in (await connection.execute(text(listed))).scalars().all():
            await connection.execute(text(drop.format(*name.split())))


async def insert_row(world: SqlWorld, table: Table, row: Mapping[str, Any]) -> None:
    """Insert a row as it is."""
    async with world.database.record() as connection:
        await connection.execute(insert(table).values(dict(row)))


@asynccontextmanager
async def behind(installation: Installation) -> AsyncIterator[SqlWorld]:
    """The database behind the commands' back."""
    url = installation.settings["FANOUT_DATABASE_URL"]
    vault = Vault([installation.settings["FANOUT_SECRET_KEY"]])
    database = Database(url)
    world = SqlWorld(url, vault, await load_seals(database, vault))
    try:
        yield world
    finally:
        await world.close()
        await database.close()
