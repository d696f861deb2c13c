"""How the databases look for links: by their indexes, whatever they know of the table."""

import pytest
from sqlalchemy import insert, select
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.links.plaintext_search import ODD, key
from disconnect_fanout.adapters.store.links.seals import SealedLinks
from disconnect_fanout.adapters.store.links.search import LinkSearch
from disconnect_fanout.adapters.store.schema.tables import links


async def plans(world: SqlWorld, count: int) -> list[str]:
    """Return how the database looks for an event's links, and for odd rows to seal."""
    odd = select(links.c.id).where(links.c.email.is_not(None), key(world.database, "email") == ODD)
    sealed = SealedLinks(world.database, world.seals)
    emails = [f"u{n}@example.com" for n in range(count)]
    look_up = sealed.look_up(LinkSearch(world.seals, emails, ["42"]))
    steps: list[str] = []
    async with world.database.read() as connection:
        word = "EXPLAIN QUERY PLAN" if world.database.sqlite else "EXPLAIN"
        for statement in (look_up, odd.limit(500)):
            compiled = statement.compile(connection.engine, compile_kwargs={"literal_binds": True})
            plan = await connection.exec_driver_sql(f"{word} {compiled}".replace("%", "%%"))
            steps += [str(row[-1]) for row in plan]
    return [step for step in steps if "links" in step]


@pytest.mark.parametrize("rows", [0, 30_000])
async def test_no_look_up_reads_the_table(sql_world: SqlWorld, rows: int) -> None:
    """Each is a probe of an index: just migrated, and after a bulk insert, without statistics."""
    if rows:
        async with sql_world.database.record() as connection:
            await connection.execute(
                insert(links),
                [
                    {"email": f"u{n}@example.com", "platform_id": "luma", "linked_at": 0}
                    for n in range(rows)
                ],
            )
    steps = await plans(sql_world, 200)
    assert [step for step in steps if "Seq Scan" in step or step == "SCAN links"] == []
    assert any("ix_links_email_key" in step for step in steps)
    assert any("ix_links_google_id_key" in step for step in steps)
