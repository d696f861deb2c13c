"""Rows that somebody damaged by hand: nothing is discarded, and nobody else is held up."""

import pytest
from sqlalchemy import delete, insert, select, update
from tests.harness.store.examples import dead, due, registered
from tests.harness.store.replay_examples import HORIZON_S
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.deliveries.unreadable_events import UnreadableEvents
from disconnect_fanout.adapters.store.inspection.bad_rows import survey
from disconnect_fanout.adapters.store.schema.tables import deliveries, events
from disconnect_fanout.adapters.store.seals.unreadable_rows import unreadable
from disconnect_fanout.policy.delivery_row import MOST


async def change(world: SqlWorld, delivery_id: str, **values: object) -> None:
    """Write into a delivery's row past all rules."""
    async with world.database.record() as connection:
        mine = update(deliveries).where(deliveries.c.id == delivery_id)
        await connection.execute(mine.values(values))


async def test_an_event_without_its_hash_is_sent_all_the_same(sql_world: SqlWorld) -> None:
    """It is not forgotten: its user stands in it. Fails before: it was discarded unsaid."""
    name = await registered(sql_world.worker)
    event_id = (await sql_world.row(name)).event_id
    async with sql_world.database.record() as connection:
        mine = update(events).where(events.c.id == event_id)
        await connection.execute(mine.values(user_hash=None))
    assert await due(sql_world.worker) == [name]


async def test_a_delivery_whose_event_is_gone_waits_and_is_named(sql_world: SqlWorld) -> None:
    """A backup may bring it back; its neighbour is sent. Fails before: it was discarded unsaid."""
    name, good = await registered(sql_world.worker), await registered(sql_world.worker)
    event_id = (await sql_world.row(name)).event_id
    async with sql_world.database.record() as connection:
        await connection.execute(delete(events).where(events.c.id == event_id))
    assert await due(sql_world.worker) == [good]
    row = await sql_world.row(name)
    assert (row.state, row.reason, row.lease) == ("pending", None, None)
    (aside,) = await unreadable(sql_world.database)
    assert (aside.of_table, aside.example) == ("events", event_id)


@pytest.mark.parametrize("column", ["attempts", "step", "replays", "interruptions"])
async def test_a_count_without_a_next_one_harms_only_its_row(
    sql_world: SqlWorld, column: str
) -> None:
    """It is not sent, and named; its neighbour is claimed. Fails before: nobody claimed."""
    bad = await registered(sql_world.worker, lease="dead")
    good = await registered(sql_world.worker)
    await change(sql_world, bad, **{column: MOST, "next_at": 1})
    assert await due(sql_world.worker) == [good]
    (found,) = await survey(sql_world.database)
    assert (found.id, found.what.split(":")[0]) == (bad, column)


async def test_every_column_that_keeps_a_delivery_from_being_sent_is_named(
    sql_world: SqlWorld,
) -> None:
    """Two at once too. Fails before: "state, or a count", whichever it was."""
    bad = await registered(sql_world.worker)
    await change(sql_world, bad, state="quarantined", step=-1)
    (found,) = await survey(sql_world.database)
    assert found.what == (
        "state: this version knows no such one; step: is no number that can be reckoned with"
    )


async def test_a_replay_of_a_row_without_a_next_count_ends(sql_world: SqlWorld) -> None:
    """The pacer goes on with its neighbours. Fails before: the whole batch was refused."""
    bad, good = await dead(sql_world.worker), await dead(sql_world.worker)
    await change(sql_world, bad, replays=MOST)
    await sql_world.worker.jobs.create([bad, good])
    await sql_world.worker.replays.advance(HORIZON_S)
    await sql_world.pass_time(HORIZON_S)
    assert await due(sql_world.worker) == [good]


async def test_a_delivery_whose_event_came_back_is_sent(sql_world: SqlWorld) -> None:
    """It stays named until then, however often it is looked at.

    Fails before: the next look took it back, and it was no longer named.
    """
    name = await registered(sql_world.worker)
    event_id = (await sql_world.row(name)).event_id
    async with sql_world.database.record() as connection:
        mine = events.c.id == event_id
        kept = (await connection.execute(select(events).where(mine))).one()
        await connection.execute(delete(events).where(mine))
    assert await due(sql_world.worker) == []
    look = UnreadableEvents(sql_world.database, sql_world.seals)
    assert await look.do_some() == 0
    assert [one.example for one in await unreadable(sql_world.database)] == [event_id]
    async with sql_world.database.record() as connection:
        await connection.execute(insert(events).values(dict(kept._mapping)))
    assert await look.do_some() == 1
    assert await due(sql_world.worker) == [name]


async def test_what_was_pruned_with_its_deliveries_is_no_longer_named(sql_world: SqlWorld) -> None:
    """Nothing waits for it."""
    name = await registered(sql_world.worker)
    event_id = (await sql_world.row(name)).event_id
    async with sql_world.database.record() as connection:
        await connection.execute(delete(events).where(events.c.id == event_id))
    assert await due(sql_world.worker) == []
    async with sql_world.database.record() as connection:
        await connection.execute(delete(deliveries).where(deliveries.c.id == name))
    assert await UnreadableEvents(sql_world.database, sql_world.seals).do_some() == 1
    assert await unreadable(sql_world.database) == []
