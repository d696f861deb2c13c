"""A bad link harms only itself: it is read where it means one thing, else set aside alone."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, text, update
from tests.harness.store.examples import event, link
from tests.harness.store.poison import CLEAR, MEANINGLESS, said
from tests.harness.store.row_rules import insert_row, lift_rules
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.crypto.vault import Vault, new_key
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.links.candidates import find_links
from disconnect_fanout.adapters.store.links.plaintext import PlaintextLinks
from disconnect_fanout.adapters.store.migration.migrate import _head, migrate
from disconnect_fanout.adapters.store.schema import tables
from disconnect_fanout.adapters.store.seals.event_seals import load_seals
from disconnect_fanout.domain.bad_row import RowKind
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.outage import DataRefused

ALICE, BOB = "alice@example.com", "bob@example.com"
NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)
NEW_YEAR_S = int(NEW_YEAR.timestamp())
MEANT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"provider": "Google"}, {"provider": Provider.GOOGLE}),
    ({"provider": " APPLE "}, {"provider": Provider.APPLE}),
    ({"provider": ""}, {"provider": None}),
    ({"linked_at": NEW_YEAR_S * 1000}, {}),
    ({"linked_at": NEW_YEAR_S * 1_000_000}, {}),
    ({"unlinked_at": NEW_YEAR_S * 1000}, {"unlinked_at": NEW_YEAR}),
    ({"platform_id": " luma "}, {}),
    ({"google_id": "12 34"}, {"google_id": "12 34"}),  # no id (``domain.google_id``), but kept
    ({"google_id": "1.05942E+11"}, {"google_id": "1.05942E+11"}),
    ({"linked_at": -5}, {"linked_at": datetime(1969, 12, 31, 23, 59, 55, tzinfo=UTC)}),
]
REFUSED: list[dict[str, Any]] = [
    *MEANINGLESS,
    {"provider": "Google"},
    {"linked_at": NEW_YEAR_S * 1000},
    {"unlinked_at": NEW_YEAR_S * 1000},
    {"google_id": "12 34"},
    {"email": "alice"},
    {"email": ""},
    {"email": f"{'a' * 320}@x"},
]


async def links_of(world: SqlWorld, email: str = ALICE) -> list[Link]:
    (found,) = await find_links(world.database, world.seals, [event(email=email).user])
    return list(found.values())


@pytest.mark.parametrize(("changed", "read"), MEANT, ids=str)
async def test_a_link_that_can_mean_one_thing_only_means_that(
    sql_world: SqlWorld, changed: dict[str, Any], read: dict[str, Any]
) -> None:
    """A platform that is not told is the worst: before and after a worker has sealed the link."""
    await lift_rules(sql_world)
    await insert_row(sql_world, tables.links, CLEAR | changed)
    expected: dict[str, Any] = {"email": ALICE, "platform_id": "luma", "linked_at": NEW_YEAR} | read
    rows = said(sql_world)
    assert await links_of(sql_world) == [Link(**expected)]
    assert await PlaintextLinks(sql_world.database, sql_world.seals).do_some() == 1
    assert await links_of(sql_world) == [Link(**expected)]
    assert rows == []


@pytest.mark.parametrize("changed", MEANINGLESS, ids=str)
async def test_a_link_that_means_nothing_is_set_aside_alone(
    sql_world: SqlWorld, changed: dict[str, Any]
) -> None:
    """Its neighbours are found, it is said once, by its number; and sealed all the same."""
    await lift_rules(sql_world)
    await insert_row(sql_world, tables.links, CLEAR | changed)
    await sql_world.insert_clear_links(link(ALICE, "cal"), link(BOB, "luma"))
    rows = said(sql_world)
    for _ in range(2):
        assert [one.platform_id for one in await links_of(sql_world)] == ["cal"]
        assert len(await links_of(sql_world, BOB)) == 1
        assert [(one.table, one.id) for one in rows] == [(RowKind.LINKS, "1")]
        await PlaintextLinks(sql_world.database, sql_world.seals).do_some()
    assert ALICE not in repr(rows)


@pytest.mark.parametrize("changed", REFUSED, ids=str)
async def test_the_schema_refuses_a_bad_link(sql_world: SqlWorld, changed: dict[str, Any]) -> None:
    """By a name that says what is wrong; the same goes for a change of a good one."""
    good = CLEAR | {"email": BOB}
    await insert_row(sql_world, tables.links, good)
    with pytest.raises(DataRefused, match=f"links.*{next(iter(changed))}"):
        await insert_row(sql_world, tables.links, CLEAR | changed)
    with pytest.raises(DataRefused, match="links"):
        async with sql_world.database.record() as connection:
            await connection.execute(update(tables.links).values(**changed))
    assert len(await links_of(sql_world, BOB)) == 1


async def test_the_migration_puts_right_what_it_can_and_bears_the_rest(database_url: str) -> None:
    """A database of the last revision with bad rows in it: migrated, read, and still changeable."""
    vault = Vault([new_key()])
    await migrate(database_url, vault)
    database = Database(database_url)
    world = SqlWorld(database_url, vault, await load_seals(database, vault))
    await database.close()
    await lift_rules(world)
    seconds: dict[str, Any] = {"linked_at": NEW_YEAR_S, "unlinked_at": NEW_YEAR_S * 1000}
    await insert_row(world, tables.links, CLEAR | seconds | {"provider": " Google"})
    for one in MEANINGLESS:
        await insert_row(world, tables.links, CLEAR | one)
    await world.insert_platform("luma", timeout_s=0.0, rate_per_s=-1.0)
    async with world.database.record() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0012'"))
        await connection.execute(text("ALTER TABLE outbox DROP COLUMN problem"))
        for newer in ("secret_keys", "unreadable_rows"):
            await connection.execute(text(f"DROP TABLE {newer}"))
    assert await migrate(database_url, vault) == ("0012", _head())
    async with world.database.record() as connection:
        found = (await connection.execute(select(tables.links).order_by(tables.links.c.id))).all()
        assert (found[0].provider, found[0].linked_at) == ("google", NEW_YEAR_S)
        assert found[0].unlinked_at == NEW_YEAR_S
        await connection.execute(update(tables.platforms).values(enabled=False))
    assert len(found) == 1 + len(MEANINGLESS)
    assert await PlaintextLinks(world.database, world.seals).do_some() == len(found)
    with pytest.raises(DataRefused, match="provider"):
        await insert_row(world, tables.links, CLEAR | {"provider": "yahoo"})
    await world.close()
