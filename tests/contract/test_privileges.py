"""What ``fanout check`` asks of a role: all that a worker needs, and no trigger in its way."""

import uuid

import pytest
from sqlalchemy import make_url, text
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.inspection.privileges import NEEDED, lacking_privileges
from disconnect_fanout.adapters.store.inspection.trial import try_rows
from disconnect_fanout.adapters.store.schema.tables import metadata
from disconnect_fanout.flow.outage import StoreRefuses

REFUSING = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'not today' USING ERRCODE = '23514'; END $$
"""


async def test_every_table_is_thought_of(sql_world: SqlWorld) -> None:
    """A new table is put into the list, or it is one that only commands and the API touch."""
    assert metadata.tables.keys() - NEEDED.keys() <= {"api_keys", "audit"}
    assert not await lacking_privileges(sql_world.database)


async def test_nothing_is_left_behind(sql_world: SqlWorld) -> None:
    """What is tried is taken back, and may be tried again."""
    for _ in range(2):
        await try_rows(sql_world.database)
    async with sql_world.database.read() as connection:
        for table in ("duties", "open_breakers", "unreadable_rows"):
            count = await connection.execute(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            assert count.scalar_one() == 0


@pytest.mark.parametrize("table", ["duties", "open_breakers", "unreadable_rows", "secret_keys"])
async def test_a_trigger_that_refuses_is_found(sql_world: SqlWorld, table: str) -> None:
    """Though it says that the data is to blame."""
    if sql_world.database.sqlite:
        words = f"CREATE TRIGGER no BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END"
        made = [words]
    else:
        made = [REFUSING, f"CREATE TRIGGER no BEFORE INSERT ON {table} EXECUTE FUNCTION refuse()"]
    async with sql_world.database.record() as connection:
        for one in made:
            await connection.execute(text(one))
    with pytest.raises(StoreRefuses):
        await try_rows(sql_world.database)


@pytest.mark.parametrize("table", ["platforms", "duties", "attempts", "outbox"])
async def test_what_was_revoked_is_named(postgres_url: str, table: str) -> None:
    """Fails before: ``check`` said ok, and the worker was not ready."""
    world = await SqlWorld.on(postgres_url)
    role = f"role_{uuid.uuid4().hex}"
    for one in (
        f"CREATE ROLE {role} LOGIN PASSWORD 'p'",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
        f"REVOKE SELECT, UPDATE ON {table} FROM {role}",
    ):
        async with world.database.record() as connection:
            await connection.execute(text(one))
    database = Database(
        make_url(postgres_url)
        .set(username=role, password="p")  # noqa: S106
        .render_as_string(hide_password=False)
    )
    try:
        found = await lacking_privileges(database)
        assert sorted(found) == [f"SELECT ON {table}", f"UPDATE ON {table}"]
    finally:
        await database.close()
        async with world.database.record() as connection:
            await connection.execute(text(f"DROP OWNED BY {role}"))
            await connection.execute(text(f"DROP ROLE {role}"))
        await world.close()
