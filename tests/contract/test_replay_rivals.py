"""The contract of two replays of one delivery, when one of them is held up."""

import pytest
from tests.harness.store.examples import (
    EXHAUSTED,
    LEASE_S,
    RETRY,
    attempted,
    claimed,
    dead,
    due,
)
from tests.harness.store.replay_examples import HORIZON_S, claimed_some, many_dead, progress
from tests.harness.store.world import World

from disconnect_fanout.policy.decide import Delivered


async def turns(world: World, count: int = 2) -> None:
    """Let the pacer turn."""
    for _ in range(count):
        await world.worker.replays.advance(HORIZON_S)


async def deliver(world: World, name: str, number: int = 2) -> None:
    """Claim the one delivery that is due, and tell it."""
    delivery = await claimed(world.worker)
    assert delivery.id == name
    change = attempted(name, delivery.lease, Delivered(), number=number, replay=True)
    await world.worker.ledger.commit([change])


async def test_a_second_replay_sends_what_a_paused_one_holds(world: World) -> None:
    """It is sent once; the job that sent it is done, and so is the other when it goes on."""
    name = await dead(world.worker)
    held = await world.worker.jobs.create([name])
    await turns(world)
    await world.worker.jobs.pause(held)
    second = await world.worker.jobs.create([name])
    await turns(world)
    await deliver(world, name)
    await turns(world)
    done = await progress(world, second)
    assert (done.state, done.delivered, done.pending) == ("done", 1, 0)
    await world.worker.jobs.resume(held)
    await turns(world)
    done = await progress(world, held)
    assert (done.state, done.delivered, done.pending) == ("done", 1, 0)
    assert await due(world.worker) == []


@pytest.mark.parametrize("hold", ["pause", "cancel"])
async def test_what_rides_along_when_a_job_is_held_up_is_sent_all_the_same(
    world: World, hold: str
) -> None:
    """The other job had released it, this one waits for its end, and need not wait for the job."""
    name = await dead(world.worker)
    first, second = [await world.worker.jobs.create([name]) for _ in range(2)]
    await turns(world)
    assert (await world.row(name)).job == first
    jobs = world.worker.jobs
    await (jobs.pause(first) if hold == "pause" else jobs.cancel(first))
    await turns(world)
    await deliver(world, name)
    await turns(world)
    assert (await progress(world, second)).state == "done"


async def test_what_failed_under_a_paused_job_starts_anew_under_the_running_one(
    world: World,
) -> None:
    """A fresh schedule and a slot of its own rate; the attempt number goes on."""
    names = sorted(await many_dead(world, 3))
    held = await world.worker.jobs.create(names)
    await turns(world)
    for name, lease in (await claimed_some(world, 3)).items():
        await world.worker.ledger.commit([attempted(name, lease, RETRY, number=1, replay=True)])
    await world.worker.jobs.pause(held)
    await world.pass_time(100_000)
    second = await world.worker.jobs.create(names, rate_per_s=0.1)
    await turns(world, 3)
    assert len(await due(world.worker)) == 1, "the second job's rate holds"
    await world.pass_time(9)
    await turns(world)
    await world.pass_time(2)
    (name,) = await due(world.worker)
    row = await world.row(name)
    assert (row.job, row.step, row.attempts, row.replays) == (second, 0, 1, 2)
    assert row.read_at - row.born_at < 60_000


async def test_what_a_paused_job_is_sending_is_not_sent_beside_it(world: World) -> None:
    """Its worker reports first; one that is dead is counted as interrupted, then it is sent."""
    name = await dead(world.worker)
    held = await world.worker.jobs.create([name])
    await turns(world)
    await claimed(world.worker)
    await world.worker.jobs.pause(held)
    second = await world.worker.jobs.create([name])
    await turns(world)
    assert (await world.row(name)).job == held
    await world.pass_time(LEASE_S + 11)
    await turns(world)
    row = await world.row(name)
    assert (row.job, row.lease, row.attempts, row.last_result) == (second, None, 2, "interrupted")
    await deliver(world, name, number=3)
    assert [one.number for one in await world.timeline(name)] == [1, 2, 3]


async def test_who_took_it_over_gives_it_back_when_he_is_cancelled(world: World) -> None:
    """The paused job has it again; cancelled too, it is the dead letter that it was."""
    name = await dead(world.worker)
    held = await world.worker.jobs.create([name])
    await turns(world)
    await world.worker.jobs.pause(held)
    second = await world.worker.jobs.create([name])
    await turns(world)
    await world.worker.jobs.cancel(second)
    await turns(world)
    assert (await world.row(name)).job == held
    assert await due(world.worker) == []
    await world.worker.jobs.cancel(held)
    await turns(world)
    assert (await world.row(name)).reason == "exhausted"


async def test_of_two_heirs_the_one_that_runs_inherits(world: World) -> None:
    """A cancelled job's row goes to who sends it, not to who is paused."""
    name = await dead(world.worker)
    first = await world.worker.jobs.create([name])
    others = [await world.worker.jobs.create([name]) for _ in range(3)]
    await turns(world)
    await world.worker.jobs.pause(others[0])
    await world.worker.jobs.pause(others[2])
    await world.worker.jobs.cancel(first)
    await turns(world)
    assert (await world.row(name)).job == others[1]
    assert await due(world.worker) == [name]


async def test_a_second_telling_that_is_held_is_taken_over_too(world: World) -> None:
    """What was delivered stays so, whoever sends it again, and whatever comes of it."""
    name = await dead(world.worker)
    await world.worker.jobs.create([name])
    await turns(world)
    await deliver(world, name)
    held = await world.worker.jobs.create([name], again=True)
    await turns(world)
    await world.worker.jobs.pause(held)
    second = await world.worker.jobs.create([name], again=True)
    await turns(world)
    delivery = await claimed(world.worker)
    change = attempted(name, delivery.lease, EXHAUSTED, number=3, replay=True)
    await world.worker.ledger.commit([change])
    await turns(world)
    done = await progress(world, second)
    assert (done.state, done.failed) == ("done", 1)
    assert (await world.row(name)).state == "delivered"
