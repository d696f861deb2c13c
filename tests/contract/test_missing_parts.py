"""A removed index makes looks slow and nothing wrong; ``check`` names what was removed."""

from sqlalchemy import text
from tests.harness.store.examples import attempted, claimed, event, link, registered
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.inspection.missing_parts import MissingParts, missing_parts
from disconnect_fanout.policy.decide import Delivered


async def test_nothing_is_missing_after_a_migration(sql_world: SqlWorld) -> None:
    """Of all tables, whichever module holds them."""
    assert await missing_parts(sql_world.database) == MissingParts([], [])


async def test_work_goes_on_without_any_index(sql_world: SqlWorld) -> None:
    """Registered, claimed, delivered; links are found; each index is named."""
    await sql_world.add_platform("luma")
    await sql_world.add_links(link("alice@example.com", "luma"))
    listed = (
        "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'ix%'"
        if sql_world.database.sqlite
        else "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'ix%'"
    )
    async with sql_world.database.record() as connection:
        names = list((await connection.execute(text(listed))).scalars())
        for name in names:
            await connection.execute(text(f"DROP INDEX {name}"))
    name = await registered(sql_world.worker)
    (links,) = await sql_world.worker.events.links([event()])
    assert len(links) == 1
    lease = (await claimed(sql_world.worker)).lease
    await sql_world.worker.ledger.commit([attempted(name, lease, Delivered())])
    assert (await sql_world.row(name)).state == "delivered"
    missing = await missing_parts(sql_world.database)
    assert (missing.keys, len(missing.indexes)) == ([], len(names))
    assert set(missing.indexes) == set(names)


async def test_a_lost_primary_key_is_named(sql_world: SqlWorld) -> None:
    """Without it no worker can write the table; PostgreSQL alone lets anybody drop one."""
    async with sql_world.database.record() as connection:
        if sql_world.database.sqlite:
            await connection.execute(text("DROP TABLE duties"))
            await connection.execute(text("CREATE TABLE duties (name TEXT)"))
        else:
            await connection.execute(text("ALTER TABLE duties DROP CONSTRAINT pk_duties"))
    assert (await missing_parts(sql_world.database)).keys == ["duties"]
