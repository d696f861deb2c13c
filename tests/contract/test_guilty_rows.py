"""One row that the database refuses to change: its neighbours are served, and it is named."""

from collections.abc import Collection

import pytest
from sqlalchemy import text
from tests.harness.store.examples import RETRY, attempted, dead, due, registered
from tests.harness.store.replay_examples import HORIZON_S
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.domain.bad_row import RowKind
from disconnect_fanout.flow.fact import RowSetAside
from disconnect_fanout.flow.outage import DataRefused

_REFUSES = (
    "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$"
)


async def refuse(world: SqlWorld, names: Collection[str], code: str = "23514") -> None:
    """Let a trigger of the owner's refuse each change of these rows, as its data's fault."""
    listed = ", ".join(f"'{one}'" for one in names)
    before = "CREATE TRIGGER no BEFORE UPDATE ON deliveries"
    ways = [
        _REFUSES.format(code=code),
        f"{before} FOR EACH ROW WHEN (OLD.id IN ({listed})) EXECUTE FUNCTION no()",
    ]
    if world.database.sqlite:
        ways = [f"{before} WHEN OLD.id IN ({listed}) BEGIN SELECT RAISE(ABORT, 'no'); END"]
    async with world.database.record() as connection:
        for one in ways:
            await connection.execute(text(one))


def named(world: SqlWorld) -> list[str]:
    """Return the deliveries that were said to be set aside."""
    said = [one.row for one in world.facts if isinstance(one, RowSetAside)]
    return [one.id for one in said if one.table is RowKind.DELIVERIES]


@pytest.mark.parametrize("code", ["22003", "23514"])
async def test_a_row_that_can_not_be_leased_harms_no_other(sql_world: SqlWorld, code: str) -> None:
    """It is named once, and left alone for a while. Fails before: nobody was claimed."""
    sql_world.database.set_aside.observe = sql_world.facts.append
    bad = await registered(sql_world.worker)
    good = [await registered(sql_world.worker) for _ in range(2)]
    await refuse(sql_world, [bad], code)
    assert sorted(await due(sql_world.worker)) == sorted(good)
    last = await registered(sql_world.worker)
    assert await due(sql_world.worker) == [last]
    assert named(sql_world) == [bad]


async def test_two_guilty_rows_alone_are_left_alone(sql_world: SqlWorld) -> None:
    """Fewer than hit everything: the turn goes on to other platforms."""
    await refuse(sql_world, [await registered(sql_world.worker) for _ in range(2)])
    assert await due(sql_world.worker) == []


async def test_what_refuses_every_row_is_no_rows_fault(sql_world: SqlWorld) -> None:
    """Nothing is set aside, and whoever turns says that it waits."""
    sql_world.database.set_aside.observe = sql_world.facts.append
    await refuse(sql_world, [await registered(sql_world.worker) for _ in range(4)])
    with pytest.raises(DataRefused):
        await due(sql_world.worker)
    assert named(sql_world) == []


async def test_a_row_that_can_not_be_expedited_harms_no_other(sql_world: SqlWorld) -> None:
    """Its platform is back, and the others go out. Fails before: none was made due."""
    names = [await registered(sql_world.worker, lease="mine") for _ in range(3)]
    await sql_world.worker.ledger.commit([attempted(one, "mine", RETRY) for one in names])
    await refuse(sql_world, names[:1])
    assert (await sql_world.worker.due.expedite("luma", 10)).count == 2
    assert sorted(await due(sql_world.worker)) == sorted(names[1:])


async def test_another_replay_goes_on_beside_one_with_a_guilty_row(sql_world: SqlWorld) -> None:
    """The guilty one's job waits, and that is said. Fails before: no later job had its turn."""
    bad, good = await dead(sql_world.worker), await dead(sql_world.worker)
    await sql_world.worker.jobs.create([bad])
    await sql_world.worker.jobs.create([good])
    await refuse(sql_world, [bad])
    with pytest.raises(DataRefused):
        await sql_world.worker.replays.advance(HORIZON_S)
    assert (await sql_world.row(good)).state == "pending"
