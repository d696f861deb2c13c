"""A claim whose COMMIT was done and whose answer was lost: nobody has it, so it is due again."""

import pytest
from sqlalchemy import select
from tests.harness.fakes.store import FakeDueStore
from tests.harness.fakes.world import FakeWorld
from tests.harness.store.examples import LEASE_S, due, registered
from tests.harness.store.failing_database import Cut, FailingDatabase
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.deliveries.due import SqlDueStore
from disconnect_fanout.adapters.store.schema.tables import deliveries
from disconnect_fanout.flow.due import DueStore
from disconnect_fanout.flow.outage import StoreUnreachable

BEFORE, ANSWER = Cut.BEFORE, Cut.ANSWER


def failing(world: SqlWorld, *cuts: Cut) -> SqlDueStore:
    """Return a worker's store whose transactions fail so, closed with the world."""
    database = FailingDatabase(world.url, *cuts)
    world.databases.append(database)
    return SqlDueStore(database, world.seals)


async def lose(store: SqlDueStore, platform_id: str = "luma") -> None:
    """Claim, and hear no answer."""
    with pytest.raises(StoreUnreachable):
        await store.claim(platform_id, limit=5, lease_s=LEASE_S, holding=(), reclaim=True)


async def looked(store: DueStore, *platform_ids: str) -> list[str]:
    """Look what is due until there is an answer."""
    for _ in range(5):
        try:
            return sorted(await store.due_platforms(platform_ids or ("luma",)))
        except StoreUnreachable:
            continue
    raise AssertionError("never an answer")


@pytest.mark.parametrize(
    "cuts", [[BEFORE], [ANSWER], [ANSWER, BEFORE], [ANSWER, ANSWER], [ANSWER, ANSWER, BEFORE]]
)
async def test_a_claim_whose_answer_was_lost_is_due_at_once(
    sql_world: SqlWorld, cuts: list[Cut]
) -> None:
    """For whoever comes first, not after the lease; and no attempt counts that nobody made."""
    await sql_world.add_platform("luma")
    name = await registered(sql_world.worker)
    store = failing(sql_world, *cuts)
    await lose(store)
    assert await looked(store) == ["luma"]
    (claim,) = await sql_world.worker.due.claim(
        "luma", limit=5, lease_s=LEASE_S, holding=(), reclaim=False
    )
    assert (claim.delivery.id, claim.interrupted) == (name, False)
    assert claim.delivery.progress.attempts == 0
    assert await looked(store) == []


async def test_all_that_was_lost_is_given_back(sql_world: SqlWorld) -> None:
    """Of several platforms, claimed one after the other, also of one that can't take it now."""
    for platform_id in ("boardy", "luma"):
        await sql_world.add_platform(platform_id)
        await registered(sql_world.worker, platform_id)
        await registered(sql_world.worker, platform_id)
    store = failing(sql_world, ANSWER, ANSWER)
    await lose(store, "boardy")
    await lose(store, "luma")
    assert await looked(store, "luma") == ["luma"]
    assert await looked(sql_world.worker.due, "boardy", "luma") == ["boardy", "luma"]
    assert len(await due(sql_world.worker)) == 2


async def test_who_has_claimed_since_keeps_it(sql_world: SqlWorld) -> None:
    """The lease was over before the one who had lost the answer could look."""
    await sql_world.add_platform("luma")
    name = await registered(sql_world.worker)
    store = failing(sql_world, ANSWER)
    await lose(store)
    await sql_world.pass_time(LEASE_S + 1)
    assert await due(sql_world.worker) == [name]
    taken = (await sql_world.row(name)).lease
    assert await looked(store) == []
    assert (await sql_world.row(name)).lease == taken


async def test_a_lost_transaction_that_has_not_ended_is_awaited(postgres_url: str) -> None:
    """The server still holds its locks: it may commit yet, so the claimer looks once more."""
    world = await SqlWorld.on(postgres_url)
    await world.add_platform("luma")
    name = await registered(world.worker)
    store = failing(world, ANSWER)
    await lose(store)
    async with world.database.record() as connection:
        locked = select(deliveries.c.id).where(deliveries.c.id == name).with_for_update()
        await connection.execute(locked)
        assert await looked(store) == []
    assert await looked(store) == ["luma"]
    await world.close()


async def test_what_is_gone_is_forgotten(sql_world: SqlWorld) -> None:
    """A row that was pruned meanwhile is looked for once."""
    await sql_world.add_platform("luma")
    name = await registered(sql_world.worker)
    store = failing(sql_world, ANSWER)
    await lose(store)
    async with sql_world.database.record() as connection:
        await connection.execute(deliveries.delete().where(deliveries.c.id == name))
    assert await looked(store) == []
    assert not store._unheard


async def test_the_simulations_store_gives_back_as_the_databases_do() -> None:
    """What is still under the claim's token is due, what another has is not."""
    world = FakeWorld()
    await world.add_platform("luma")
    names = {await registered(world.worker) for _ in range(2)}
    store = world.worker.due
    assert isinstance(store, FakeDueStore)
    lost = await store.claim("luma", limit=2, lease_s=1.0, holding=(), reclaim=True)
    await world.pass_time(2)
    (taken,) = await due(world.worker, limit=1)
    token = (await world.row(taken)).lease
    store.give_back(lost)
    assert (await world.row(taken)).lease == token
    assert set(await due(world.worker)) == names - {taken}
