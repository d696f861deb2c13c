"""The contract of replay jobs that are held up: by a platform, by an operator."""

from itertools import pairwise

import pytest
from tests.harness.store.examples import LEASE_S, RETRY, attempted, claimed, dead, due
from tests.harness.store.replay_examples import HORIZON_S, claimed_some, many_dead, progress
from tests.harness.store.world import World

from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.domain.replay import WrongState
from disconnect_fanout.flow.due import Expedited
from disconnect_fanout.policy.decide import Delivered


async def test_a_congested_platform_gets_no_more_and_holds_up_no_other(world: World) -> None:
    """What a platform does not take is not heaped up for it; the other platforms' turns come."""
    hung, healthy = await many_dead(world, 30), [await dead(world.worker, "cal")]
    # Sorted by id the healthy one is somewhere among the hung ones.
    await world.worker.jobs.create([*hung, *healthy], rate_per_s=5)
    waits = []
    for _ in range(12):
        await world.worker.replays.advance(HORIZON_S)
        await due(world.worker, "cal")
        await world.pass_time(HORIZON_S)
        waits.append(sum([bool((await world.row(one)).under_way) for one in hung]))
    assert (await world.row(healthy[0])).under_way
    assert waits[-1] == waits[-2] <= 21, "ten a horizon are unsent, and ten more were on their way"


async def test_a_paused_job_is_held_at_once_with_all_that_it_released(world: World) -> None:
    """No claim, no hastening, no further release; resumed, all of it goes on."""
    names = await many_dead(world, 20)
    job = await world.worker.jobs.create(names[:10])
    other = await dead(world.worker)
    await world.worker.replays.advance(HORIZON_S)
    failed = await claimed_some(world, 3)
    for name, lease in failed.items():
        await world.worker.ledger.commit([attempted(name, lease, RETRY, number=2, replay=True)])
    await world.worker.jobs.pause(job)
    await world.pass_time(400)
    assert await due(world.worker, limit=50) == []
    assert await world.worker.due.expedite("luma", 50) == Expedited(0)
    assert await world.worker.replays.advance(HORIZON_S) == 0
    assert (await progress(world, job)).state == "paused"
    await world.worker.jobs.create([other])
    await world.worker.replays.advance(HORIZON_S)
    assert await due(world.worker, limit=50) == [other], "another job is not held"
    await world.worker.jobs.resume(job)
    assert sorted(await due(world.worker, limit=50)) == sorted(names[:10])


async def test_a_pause_is_not_made_up_for_in_a_burst(world: World) -> None:
    """What was released ahead of the pause gets new slots, at the job's rate, before all others."""
    names = await many_dead(world, 60)
    job = await world.worker.jobs.create(names, rate_per_s=10)
    assert await world.worker.replays.advance(HORIZON_S) == 21
    await world.worker.jobs.pause(job)
    await world.pass_time(600)
    await world.worker.jobs.resume(job)
    assert len(await due(world.worker, limit=60)) <= 2
    await world.pass_time(1)
    await world.worker.replays.advance(HORIZON_S)
    rows = [await world.row(name) for name in names]
    slots = sorted(row.next_at for row in rows if row.next_at is not None and not row.lease)
    assert min(after - before for before, after in pairwise(slots)) >= 99


async def test_a_cancelled_job_sends_nothing_more(world: World) -> None:
    """What it released is a dead letter again, for the reason that it had; the rest stays dead."""
    names = await many_dead(world, 30)
    job = await world.worker.jobs.create(names, rate_per_s=5)
    await world.worker.replays.advance(HORIZON_S)
    await world.worker.jobs.cancel(job)
    assert await due(world.worker, limit=50) == []
    await world.worker.replays.advance(HORIZON_S)
    await world.worker.replays.advance(HORIZON_S)
    rows = [await world.row(name) for name in names]
    assert all(row.standing and row.reason == "exhausted" for row in rows)
    assert sum(row.replays for row in rows) == 11
    assert len(await world.worker.letters.decided(names)) == 11, "they get letters again"
    after = await progress(world, job)
    assert (after.state, after.delivered, after.failed, after.pending) == ("cancelled", 0, 0, 30)
    job = await world.worker.jobs.create(names)
    assert await world.worker.replays.advance(HORIZON_S) == 30


async def test_what_is_on_its_way_when_a_job_is_cancelled_may_still_arrive(world: World) -> None:
    """Its outcome counts; if it failed it is a dead letter again instead of a retry."""
    names = await many_dead(world, 2)
    job = await world.worker.jobs.create(names)
    await world.worker.replays.advance(HORIZON_S)
    (one, first), (two, second) = (await claimed_some(world, 2)).items()
    await world.worker.jobs.cancel(job)
    await world.worker.replays.advance(HORIZON_S)
    assert (await progress(world, job)).pending == 2
    told = attempted(one, first, Delivered(), number=1, replay=True)
    await world.worker.ledger.commit([told, attempted(two, second, RETRY, replay=True)])
    await world.worker.replays.advance(HORIZON_S)
    await world.worker.replays.advance(HORIZON_S)
    after = await progress(world, job)
    assert (after.delivered, after.failed, after.pending) == (1, 0, 1)
    assert (await world.row(two)).reason == "exhausted"


async def test_a_dead_workers_rows_of_a_cancelled_job_are_taken_back(world: World) -> None:
    """Its attempt is counted as interrupted, and the delivery is a dead letter again."""
    name = await dead(world.worker)
    job = await world.worker.jobs.create([name])
    await world.worker.replays.advance(HORIZON_S)
    await claimed(world.worker)
    await world.worker.jobs.cancel(job)
    await world.pass_time(LEASE_S + 11)
    await world.worker.replays.advance(HORIZON_S)
    row = await world.row(name)
    assert (row.reason, row.last_result, row.attempts) == ("exhausted", "interrupted", 2)


async def test_a_job_that_rides_along_inherits_what_a_cancelled_one_gives_up(
    world: World,
) -> None:
    """Somebody still wants it sent; if he cancels too, it is the dead letter that it was."""
    name = await dead(world.worker)
    first, second = [await world.worker.jobs.create([name]) for _ in range(2)]
    await world.worker.replays.advance(HORIZON_S)
    await world.worker.jobs.cancel(first)
    await world.worker.replays.advance(HORIZON_S)
    assert (await world.row(name)).job == second
    await world.worker.jobs.cancel(second)
    await world.worker.replays.advance(HORIZON_S)
    assert (await world.row(name)).reason == "exhausted"


async def test_only_a_job_that_can_be_is_paused_resumed_or_cancelled(world: World) -> None:
    """Asking twice is harmless, an unknown job is named, and what is done stays done."""
    jobs = world.worker.jobs
    job = await jobs.create([await dead(world.worker)])
    for change, state in ((jobs.pause, "paused"), (jobs.resume, "running")):
        for _ in range(2):
            await change(job)
            assert (await progress(world, job)).state == state
    for change in (jobs.pause, jobs.resume, jobs.cancel):
        with pytest.raises(NotFound, match="no replay nosuchjob"):
            await change("nosuchjob")
    for _ in range(2):
        await jobs.cancel(job)
    for change in (jobs.pause, jobs.resume):
        with pytest.raises(WrongState):
            await change(job)


async def test_jobs_are_listed_the_newest_first(world: World) -> None:
    """With the counts of the contract, up to the limit."""
    jobs = []
    for _ in range(3):
        jobs.append(await world.worker.jobs.create([await dead(world.worker)]))
        await world.pass_time(1)
    assert [one.job for one in await world.worker.jobs.all(2)] == [jobs[2], jobs[1]]
