"""Rows that a trigger swallows without a word: an outage that is named, never an event's fault."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text
from tests.harness.store.examples import due, event, intent, link, registered
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.events.store import SqlEventStore
from disconnect_fanout.adapters.store.http_api.outbox import SqlOutbox
from disconnect_fanout.adapters.store.links.book import LinkBook
from disconnect_fanout.adapters.store.managed_links.inserter import ConnectInserter
from disconnect_fanout.adapters.store.schema.connect_table import connects
from disconnect_fanout.adapters.store.schema.tables import events
from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import Provider, User
from disconnect_fanout.flow.intent import Registration
from disconnect_fanout.flow.links.store import Opening
from disconnect_fanout.flow.outage import StoreRefuses, StoreUnreachable

_NOTHING = "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"


async def swallow(world: SqlWorld, table: str, verb: str = "INSERT") -> None:
    """Let every such write on the table come to nothing."""
    before = f"CREATE TRIGGER no BEFORE {verb} ON {table} "
    ways = [_NOTHING, f"{before} FOR EACH ROW EXECUTE FUNCTION no()"]
    if world.database.sqlite:
        ways = [f"{before} BEGIN SELECT RAISE(IGNORE); END"]
    async with world.database.record() as connection:
        for one in ways:
            await connection.execute(text(one))


async def allow(world: SqlWorld, table: str) -> None:
    """Take the trigger away again."""
    whose = "" if world.database.sqlite else f" ON {table}"
    async with world.database.record() as connection:
        await connection.execute(text(f"DROP TRIGGER no{whose}"))


@pytest.mark.parametrize(
    ("table", "verb"),
    [("events", "INSERT"), ("deliveries", "INSERT"), ("deliveries", "UPDATE"),
     ("attempts", "INSERT")],
)  # fmt: skip
async def test_the_probe_says_what_is_swallowed(sql_world: SqlWorld, table: str, verb: str) -> None:
    """So the worker is not ready, and says which table.

    Fails before: a KeyError for an event, and all was well for the others.
    """
    await swallow(sql_world, table, verb)
    with pytest.raises(StoreRefuses, match=f"a row of {table} and does not have it"):
        await sql_world.worker.events.probe()
    assert table in str(sql_world.database.health.problem)


@pytest.mark.parametrize("table", ["events", "deliveries"])
async def test_an_event_is_held_and_new_once_its_rows_stay(sql_world: SqlWorld, table: str) -> None:
    """Nothing is written for it meanwhile. Fails before: a KeyError, or it was called new."""
    store = SqlEventStore(sql_world.database, sql_world.seals, retry_for_s=0.2)
    one = intent(event())
    await swallow(sql_world, table)
    with pytest.raises(StoreUnreachable):
        await store.register([one])
    async with sql_world.database.read() as connection:
        counted = select(func.count()).select_from(events)
        assert (await connection.execute(counted)).scalar_one() == 0
    await allow(sql_world, table)
    assert list(await store.register([one])) == [Registration.NEW]


async def test_what_can_not_be_leased_is_not_sent(sql_world: SqlWorld) -> None:
    """It would be sent again in every turn. Fails before: it was claimed, and stayed due."""
    name = await registered(sql_world.worker)
    await swallow(sql_world, "deliveries", "UPDATE")
    with pytest.raises(StoreRefuses):
        await due(sql_world.worker)
    await allow(sql_world, "deliveries")
    assert await due(sql_world.worker) == [name]


async def test_nothing_is_promised_that_the_outbox_does_not_have(sql_world: SqlWorld) -> None:
    """The links end with it, or not at all. Fails before: it was promised, and gone."""
    await swallow(sql_world, "outbox")
    with pytest.raises(StoreRefuses):
        async with sql_world.database.record() as connection:
            await SqlOutbox(sql_world.database, sql_world.seals).put(connection, [event()])


async def test_a_link_is_noted_or_refused(sql_world: SqlWorld) -> None:
    """Fails before: the command said that it was new."""
    await swallow(sql_world, "links")
    with pytest.raises(StoreRefuses):
        await LinkBook(sql_world.database, sql_world.seals).write([link("a@example.com", "luma")])


@pytest.mark.parametrize("table", ["connects", "links"])
async def test_a_connect_is_held(sql_world: SqlWorld, table: str) -> None:
    """Fails before: a KeyError, or its link was missing without a word."""
    now = datetime.now(UTC).replace(microsecond=0)
    user = User("a@example.com", None)
    one = ConnectEvent("evt_1", now, user, Provider.GOOGLE, now, "luma")
    inserter = ConnectInserter(sql_world.database, sql_world.seals)
    await swallow(sql_world, table)
    with pytest.raises(StoreRefuses):
        await inserter.open([Opening(one, link("a@example.com", "luma"), "hash")])
    async with sql_world.database.read() as connection:
        counted = select(func.count()).select_from(connects)
        assert (await connection.execute(counted)).scalar_one() == 0
