"""A CHECK that a revision adds to a table in use: new rows at once, older ones without a lock."""

import asyncio

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from tests.harness.store.busy_database import Lines, Writer, holding
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.migration.lock_turns import LockTurns
from disconnect_fanout.adapters.store.migration.migrations.checks import add_check
from disconnect_fanout.adapters.store.migration.migrations.steps import Steps
from disconnect_fanout.flow.outage import DataRefused

BEARABLE_S = 3.0
VOUCHED = "SELECT convalidated FROM pg_constraint WHERE conname = 'ck_events_copies'"
BAD = "INSERT INTO events (id, content_hash, sealed, disconnected_at, received_at, recipients, "
BAD += "copies, writer, near_misses) VALUES (:id, 'c', decode('00', 'hex'), 1, 1, 0, -1, 'w', 0)"


@pytest.fixture
async def world(postgres_url: str) -> SqlWorld:
    """A migrated PostgreSQL."""
    return await SqlWorld.on(postgres_url)


async def add(database: Database, lines: Lines) -> None:
    """Add it as a revision does."""

    def revise(connection: Connection, pid: int) -> None:
        turns = LockTurns(lines.say, lock_wait_s=30)
        context = MigrationContext.configure(connection)
        context.impl = Steps(context.impl, turns)
        looking = looking_tasks.create_task(turns.look(database, pid))
        try:
            with Operations.context(context):
                add_check("events", "ck_events_copies", "copies >= 0", "it's a count")
        finally:
            looking.cancel()

    async with (
        asyncio.TaskGroup() as looking_tasks,
        database.outside_transactions(pausing=True) as connection,
    ):
        pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await connection.run_sync(revise, pid)


async def vouched(database: Database) -> bool | None:
    """Tell whether the older rows are vouched for; None if there is no constraint."""
    async with database.read() as connection:
        found: bool | None = (await connection.execute(text(VOUCHED))).scalar()
        return found


async def insert_bad(database: Database) -> None:
    """Write what the rule refuses."""
    async with database.record() as connection:
        await connection.execute(text(BAD), {"id": "evt_bad"})


async def test_a_check_is_added_while_a_dump_and_a_writer_go_on(world: SqlWorld) -> None:
    """It waits by turns, says for whom, and then holds for old and new rows; twice is once."""
    lines = Lines()
    writer = Writer(world.database)
    writing = asyncio.create_task(writer.run())
    async with holding(world.url):
        adding = asyncio.create_task(add(world.database, lines))
        await lines.hear("(a-dump)")
        assert lines.have("ADD CONSTRAINT")
    await adding
    writing.cancel()
    await asyncio.wait({writing})
    assert writer.longest_s < BEARABLE_S
    assert await vouched(world.database) is True
    with pytest.raises(DataRefused, match="ck_events_copies"):
        await insert_bad(world.database)
    await add(world.database, lines)
    assert await vouched(world.database) is True
    await world.close()


async def test_an_older_row_that_breaks_it_stays(world: SqlWorld) -> None:
    """New ones are refused all the same; once it is gone, another run vouches for the rest."""
    await insert_bad(world.database)
    await add(world.database, Lines())
    assert await vouched(world.database) is False
    async with world.database.record() as connection:
        await connection.execute(text("DELETE FROM events"))
    with pytest.raises(DataRefused, match="ck_events_copies"):
        await insert_bad(world.database)
    await add(world.database, Lines())
    assert await vouched(world.database) is True
    await world.close()
