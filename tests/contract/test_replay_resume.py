"""The contract of a replay that goes on after a pause: everything at its rate, nothing lost."""

from itertools import pairwise

import pytest
from tests.harness.store.examples import RETRY, attempted, due
from tests.harness.store.interleaved_database import InterleavedDatabase
from tests.harness.store.replay_examples import HORIZON_S, claimed_some, many_dead, progress
from tests.harness.store.sql_world import SqlWorld
from tests.harness.store.world import World

from disconnect_fanout.adapters.store.replays.job import ReplayJobs
from disconnect_fanout.flow.outage import StoreUnreachable

RATE_PER_S = 1000.0


async def released_and_paused(world: World, count: int) -> tuple[str, list[str]]:
    """Return a job that was paused when it had released all its deliveries, an hour ago."""
    names = await many_dead(world, count)
    job = await world.worker.jobs.create(names, rate_per_s=RATE_PER_S)
    released = 0
    while released < count:
        released += await world.worker.replays.advance(HORIZON_S)
    await world.worker.jobs.pause(job)
    await world.pass_time(3600)
    return job, names


async def test_more_than_one_portion_is_given_new_slots(world: World) -> None:
    """All that was released before the pause has a slot of its own after it, at the rate."""
    job, names = await released_and_paused(world, 1_200)
    now = (await world.row(names[0])).read_at
    await world.worker.jobs.resume(job)
    slots = sorted([(await world.row(name)).next_at or 0 for name in names])
    assert slots[0] >= now
    assert min(after - before for before, after in pairwise(slots)) >= 1
    assert (await progress(world, job)).state == "running"


async def test_retries_that_came_due_in_the_pause_are_no_burst(world: World) -> None:
    """They keep their step and their age, and wait for a slot like all others."""
    names = await many_dead(world, 20)
    job = await world.worker.jobs.create(names, rate_per_s=10)
    await world.worker.replays.advance(HORIZON_S)
    await world.pass_time(3)
    for name, lease in (await claimed_some(world, 20)).items():
        await world.worker.ledger.commit([attempted(name, lease, RETRY, number=1, replay=True)])
    await world.worker.jobs.pause(job)
    await world.pass_time(3600)
    await world.worker.jobs.resume(job)
    assert len(await due(world.worker, limit=50)) <= 2
    rows = [await world.row(name) for name in names]
    assert {row.step for row in rows} == {1}
    assert all(row.read_at - row.born_at > 3_600_000 for row in rows)
    await world.pass_time(3)
    assert len(await due(world.worker, limit=50)) >= 18


async def test_who_is_killed_while_he_resumes_leaves_it_paused(sql_world: SqlWorld) -> None:
    """Nothing is sent of a job half of which has new slots; resumed again, all of it is."""
    job, _ = await released_and_paused(sql_world, 600)

    async def die() -> None:
        raise StoreUnreachable("the cable was pulled")

    database = InterleavedDatabase(sql_world.url, {2: die})
    sql_world.databases.append(database)
    with pytest.raises(StoreUnreachable):
        await ReplayJobs(database).resume(job)
    assert (await progress(sql_world, job)).state == "paused"
    assert await due(sql_world.worker, limit=1000) == []
    await sql_world.worker.jobs.resume(job)
    await sql_world.pass_time(2)
    assert len(await due(sql_world.worker, limit=1000)) == 600


async def test_without_a_rate_everything_is_due_at_once(world: World) -> None:
    """There is no rate to hold."""
    names = await many_dead(world, 600)
    job = await world.worker.jobs.create(names)
    for _ in range(2):
        await world.worker.replays.advance(HORIZON_S)
    await world.worker.jobs.pause(job)
    await world.worker.jobs.resume(job)
    assert len(await due(world.worker, limit=1000)) == 600
