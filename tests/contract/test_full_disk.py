"""A database whose disk is full says so, and what to do; what was written is kept."""

import pytest
from sqlalchemy import func, insert, select, text
from tests.harness.store.poison import CLEAR
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import links
from disconnect_fanout.flow.outage import StoreFull

MANY = [CLEAR | {"email": f"{number:0200}@example.com"} for number in range(2000)]
FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$
"""


async def fill(database: Database) -> None:
    """Leave no room for more pages than there are."""
    async with database.record() as connection:
        if database.sqlite:
            pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
            await connection.execute(text(f"PRAGMA max_page_count = {pages}"))
            return
        await connection.execute(text(FULL))
        made = "CREATE TRIGGER full_disk BEFORE INSERT ON links EXECUTE FUNCTION full_disk()"
        await connection.execute(text(made))


async def test_a_full_disk_is_named_with_what_to_do(sql_world: SqlWorld) -> None:
    """It is an outage. Fails before: neither the disk nor what to do was said."""
    database = sql_world.database
    async with database.record() as connection:
        await connection.execute(insert(links).values(CLEAR))
    await fill(database)
    with pytest.raises(StoreFull) as caught:
        async with database.record() as connection:
            await connection.execute(insert(links), MANY)
    where = "the database's disk" if database.file is None else f"the disk of {database.file}"
    assert f"make room on {where}" in str(caught.value)
    assert "@" not in str(caught.value)
    async with database.read() as connection:
        kept = await connection.execute(select(func.count()).select_from(links))
        assert kept.scalar_one() == 1
