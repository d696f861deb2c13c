"""The balance (I9): resolved = delivered + dead + discarded + pending, counted, never derived."""

from collections.abc import Collection

from sqlalchemy import delete, insert, select, update
from tests.harness.store.examples import attempted, event, intent, planned, registered
from tests.harness.store.examples import dead as dead_letter
from tests.harness.store.sql_world import SqlWorld
from tests.harness.store.world import World

from disconnect_fanout.adapters.store.dead_letters.discards import Discards
from disconnect_fanout.adapters.store.deliveries.balance import Balance, BalanceSheet, EventBalance
from disconnect_fanout.adapters.store.schema.tables import deliveries, events
from disconnect_fanout.policy.decide import Delivered


async def one_of_each(world: SqlWorld) -> None:
    """One event with four recipients: told, dead, discarded, waiting."""
    worker = world.worker
    told = await registered(worker, "boardy", lease="mine")
    await worker.ledger.commit([attempted(told, "mine", Delivered(), platform_id="boardy")])
    await dead_letter(worker)
    await Discards(world.database).discard([await dead_letter(worker)], "because")
    await registered(worker, "cal")


async def lose(world: SqlWorld, ids: Collection[str]) -> None:
    """Lose deliveries, as no code of ours ever should."""
    async with world.database.record() as connection:
        await connection.execute(delete(deliveries).where(deliveries.c.id.in_(ids)))


async def test_the_difference_is_zero_while_nothing_is_lost(world: World) -> None:
    """Through registration, delivery and death; an empty store closes too."""
    worker = world.worker
    assert await worker.balance.difference() == 0
    await registered(worker)
    await dead_letter(worker)
    one = event()
    await worker.events.register([intent(one, *(planned(one, p) for p in ("a", "b", "c")))])
    assert await worker.balance.difference() == 0


async def test_each_state_is_counted(sql_world: SqlWorld) -> None:
    """The overall balance has the five numbers, and they add up."""
    sheet = BalanceSheet(sql_world.database)
    assert await sheet.overall() == Balance(0, 0, 0, 0, 0, 0)
    await one_of_each(sql_world)
    assert await sheet.overall() == Balance(
        resolved=4, delivered=1, dead=1, discarded=1, pending=1, difference=0
    )
    assert list(await sheet.open_events(10)) == []


async def test_a_lost_delivery_is_found_and_its_event_named(sql_world: SqlWorld) -> None:
    """One row less is a difference of one, in all and at its event."""
    await one_of_each(sql_world)
    name = await registered(sql_world.worker, "luma")
    event_id = (await sql_world.row(name)).event_id
    await lose(sql_world, [name])
    sheet = BalanceSheet(sql_world.database)
    assert await sheet.difference() == 1
    assert (await sheet.overall()).difference == 1
    assert list(await sheet.open_events(10)) == [
        EventBalance(1, 0, 0, 0, 0, difference=1, event_id=event_id)
    ]


async def test_losses_that_cancel_each_other_are_found(sql_world: SqlWorld) -> None:
    """One event with a delivery too few, one with one too many: overall 0, and yet both named."""
    few, many = event(), event()
    for one in (few, many):
        await sql_world.worker.events.register([intent(one, planned(one, "luma"))])
    await lose(sql_world, [planned(few, "luma").id])
    async with sql_world.database.record() as connection:
        template = select(deliveries).where(deliveries.c.id == planned(many, "luma").id)
        row = (await connection.execute(template)).one()._asdict()
        await connection.execute(insert(deliveries).values({**row, "id": "wh_del_twice"}))
    sheet = BalanceSheet(sql_world.database)
    assert await sheet.difference() == 0
    found = {one.event_id: one.difference for one in await sheet.open_events(10)}
    assert found == {few.id: 1, many.id: -1}


async def test_deliveries_of_no_event_are_found(sql_world: SqlWorld) -> None:
    """An event that is gone has resolved nobody."""
    one = event()
    await sql_world.worker.events.register([intent(one, planned(one, "luma"), planned(one, "cal"))])
    async with sql_world.database.record() as connection:
        await connection.execute(delete(events).where(events.c.id == one.id))
    (orphan,) = await BalanceSheet(sql_world.database).open_events(10)
    assert (orphan.event_id, orphan.resolved, orphan.pending) == (one.id, 0, 2)
    assert orphan.difference == -2


async def test_at_most_so_many_events_are_named(sql_world: SqlWorld) -> None:
    """Where much is wrong a few examples do."""
    await one_of_each(sql_world)
    async with sql_world.database.record() as connection:
        await connection.execute(update(events).values(recipients=7))
    assert len(await BalanceSheet(sql_world.database).open_events(3)) == 3
