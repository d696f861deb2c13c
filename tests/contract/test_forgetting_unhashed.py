"""Whoever is forgotten is forgotten from rows too whose user's hash somebody's own SQL has lost."""

from typing import Any

import pytest
from sqlalchemy import Table, func, select, update
from tests.harness.store.examples import attempted, event, intent, link, planned, registered
from tests.harness.store.row_rules import lift_rules
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.crypto.vault import new_key
from disconnect_fanout.adapters.store.http_api.credentials import CredentialBook
from disconnect_fanout.adapters.store.http_api.outbox import SqlOutbox
from disconnect_fanout.adapters.store.privacy.forgetting import Forgetting
from disconnect_fanout.adapters.store.privacy.unhashed import Unattributed
from disconnect_fanout.adapters.store.schema.api_tables import credentials, outbox
from disconnect_fanout.adapters.store.schema.tables import events, links
from disconnect_fanout.domain.credential import Calendar, Credential
from disconnect_fanout.domain.event import NOBODY
from disconnect_fanout.policy.decide import Delivered

ALICE, BOB = "alice@example.com", "bob@example.com"
TABLES = [events, links, outbox, credentials]
LOST: dict[str, list[Any]] = {"events": [None, b"", b"x"], "links": [None, "", "x"]}
CASES = [(table, one) for table in TABLES for one in LOST.get(table.name, ["", "x"])]


async def stored(world: SqlWorld) -> str:
    """Write one row of each about Alice and one about Bob; return Alice's event."""
    one, other = event("evt_alice", ALICE, None), event("evt_bob", BOB, None)
    for each in (one, other):
        delivery = planned(each, "luma", lease="mine")
        await world.worker.events.register([intent(each, delivery)])
        told = attempted(delivery.id, "mine", Delivered(), answer=each.user.email)
        await world.worker.ledger.commit([told])
    await world.add_links(link(ALICE, "luma"), link(BOB, "luma"))
    async with world.database.record() as connection:
        await SqlOutbox(world.database, world.seals).put(connection, [one, other])
    book = CredentialBook(world.database, world.seals)
    kind = Calendar.GOOGLE.credential_type
    for number, email in enumerate((ALICE, BOB)):
        await book.write([Credential(number, kind, 7, email, None, None, None, invalid=False)])
    return one.id


async def lose(world: SqlWorld, table: Table, **values: Any) -> None:
    """Write into all rows of a table, as somebody's own SQL."""
    async with world.database.record() as connection:
        await connection.execute(update(table).values(values))


async def left(world: SqlWorld) -> dict[str, int]:
    """Return how many rows of each table still name somebody."""
    found = {}
    async with world.database.read() as connection:
        for table in (links, outbox, credentials):
            counted = select(func.count()).select_from(table)
            found[table.name] = (await connection.execute(counted)).scalar_one()
        sealed = (await connection.execute(select(events.c.sealed))).scalars()
        users = [world.seals.open_event(one).user for one in sealed]
    return {**found, "events": sum(one != NOBODY for one in users)}


@pytest.mark.parametrize(("table", "lost"), CASES, ids=lambda one: getattr(one, "name", repr(one)))
async def test_a_lost_hash_hides_nobody(sql_world: SqlWorld, table: Table, lost: Any) -> None:
    """Alice goes and Bob stays. Fails before: it was called removed, and was there."""
    await stored(sql_world)
    await lift_rules(sql_world)
    await lose(sql_world, table, user_hash=lost)
    person = Forgetting(sql_world.database, sql_world.seals, ALICE)
    found = await person.found()
    counts = (found.events, found.links, found.promised, found.credentials, found.attempts)
    assert counts == (1, 1, 1, 1, 1)
    await person.discard()
    await person.remove()
    assert await left(sql_world) == {"events": 1, "links": 1, "outbox": 1, "credentials": 1}
    assert not (await person.found()).any
    assert await person.unattributed() == []


async def test_what_can_t_be_attributed_is_said_and_left(sql_world: SqlWorld) -> None:
    """Neither hash nor seal tell. Fails before: not a word."""
    await stored(sql_world)
    foreign = new_key().encode()  # opened by none of our keys
    await lose(sql_world, events, user_hash=None, sealed=foreign)
    await lose(sql_world, outbox, user_hash="", sealed=foreign)
    person = Forgetting(sql_world.database, sql_world.seals, ALICE)
    numbers = await person.unattributed()
    assert numbers[0] == Unattributed("events", 2, "evt_alice")
    assert [(one.table, one.count) for one in numbers] == [("events", 2), ("outbox", 2)]
    found = await person.found()
    assert (found.events, found.links, found.promised) == (0, 1, 0)


async def test_more_than_a_page_is_looked_through(sql_world: SqlWorld) -> None:
    """What was forgotten before is looked through too, and is nobody's."""
    for _ in range(3):
        await registered(sql_world.worker)
    many = [event(f"evt_{number:04}", BOB, None) for number in range(520)]
    await sql_world.worker.events.register([intent(one) for one in many])
    await sql_world.worker.events.register([intent(event("evt_z", ALICE, None))])
    await Forgetting(sql_world.database, sql_world.seals, "Alice@Example.com").remove()
    await lose(sql_world, events, user_hash=None)
    person = Forgetting(sql_world.database, sql_world.seals, BOB)
    assert (await person.found()).events == 520
