"""The contract of replays whose users come back after they were selected (CONTRACT section 6)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.harness.store.examples import (
    DISCONNECTED_AT,
    EXHAUSTED,
    LEASE_S,
    RETRY,
    attempted,
    claimed,
    due,
    event,
    intent,
    link,
    planned,
)
from tests.harness.store.replay_examples import HORIZON_S, progress
from tests.harness.store.sql_world import SqlWorld
from tests.harness.store.world import World

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.link import Link
from disconnect_fanout.policy.change import LetterConfirmed
from disconnect_fanout.policy.decide import Delivered

ALICE, BOB = "alice@example.com", "bob@example.com"
ACCOUNT = "105942374304"
SINCE = replace(link(ALICE, "luma", ACCOUNT), linked_at=DISCONNECTED_AT + timedelta(days=1))


async def dead_of(world: World, email: str = ALICE, google_id: str | None = ACCOUNT) -> str:
    """Return a dead delivery at luma about this user: blocked, so that it is known again."""
    one = event(email=email, google_id=google_id)
    plan = planned(one, "luma", dead=DeadReason.BLOCKED)
    await world.worker.events.register([intent(one, plan)])
    await world.worker.ledger.commit([LetterConfirmed(plan.id, replays=0)])
    return plan.id


async def turns(world: World, count: int = 2) -> None:
    """Let the pacer turn."""
    for _ in range(count):
        await world.worker.replays.advance(HORIZON_S)


async def left_out(world: World, job: str, name: str) -> None:
    """Claim that the one delivery of a job was not sent, and is the dead letter that it was."""
    await turns(world)
    assert await due(world.worker) == []
    row = await world.row(name)
    assert (row.standing, row.reason, row.under_way, row.lease) == (True, "blocked", False, None)
    await turns(world)
    done = await progress(world, job)
    counts = (done.selected, done.reconnected, done.delivered, done.failed, done.pending)
    assert (done.state, counts) == ("done", (0, 1, 0, 0, 0))


async def test_who_comes_back_to_a_link_that_nobody_ended_is_left_out(world: World) -> None:
    """It is open still, and its later start is noted with it. Fails before: it was sent."""
    name = await dead_of(world)
    job = await world.worker.jobs.create([name])
    open_still = replace(SINCE, linked_at=DISCONNECTED_AT - timedelta(days=9))
    await world.add_links(replace(open_still, latest_start=SINCE.linked_at))
    await left_out(world, job, name)


async def test_who_comes_back_before_the_turn_is_left_out(world: World) -> None:
    """His dead letter stays as it is; the others of the job are sent."""
    name, other = await dead_of(world), await dead_of(world, BOB, "2000")
    job = await world.worker.jobs.create([name, other])
    await world.add_links(SINCE)
    await turns(world)
    row = await world.row(name)
    assert (row.state, row.replays) == ("dead", 0)
    assert await world.worker.letters.standing([name]) == {name: 0}
    delivery = await claimed(world.worker)
    assert delivery.id == other
    change = attempted(other, delivery.lease, Delivered(), number=1, replay=True)
    await world.worker.ledger.commit([change])
    await turns(world)
    done = await progress(world, job)
    counts = (done.selected, done.reconnected, done.delivered, done.failed, done.pending)
    assert (done.state, counts) == ("done", (1, 1, 1, 0, 0))
    assert [one.reconnected for one in await world.worker.jobs.all(1)] == [1]


async def test_who_comes_back_while_a_job_is_paused_is_left_out_when_it_goes_on(
    world: World,
) -> None:
    """It had been released, and waited for the resume."""
    name = await dead_of(world)
    job = await world.worker.jobs.create([name], reconnected=0)
    await turns(world)
    await world.worker.jobs.pause(job)
    await world.add_links(SINCE)
    await world.worker.jobs.resume(job)
    await left_out(world, job, name)


async def test_who_comes_back_between_two_attempts_is_left_out(world: World) -> None:
    """The schedule takes days; the attempts that were made stay in the history."""
    name = await dead_of(world)
    job = await world.worker.jobs.create([name])
    await turns(world)
    delivery = await claimed(world.worker)
    change = attempted(name, delivery.lease, RETRY, number=1, replay=True)
    await world.worker.ledger.commit([change])
    await world.add_links(SINCE)
    await world.pass_time(301)
    await left_out(world, job, name)
    assert len(await world.timeline(name)) == 1


async def test_who_comes_back_while_a_worker_is_dead_is_left_out(world: World) -> None:
    """The request that it may have made is counted as interrupted."""
    name = await dead_of(world)
    job = await world.worker.jobs.create([name])
    await turns(world)
    await claimed(world.worker)
    await world.add_links(SINCE)
    await world.pass_time(LEASE_S + 1)
    await left_out(world, job, name)
    (attempt,) = await world.timeline(name)
    assert attempt.result == "interrupted"
    assert (await world.row(name)).attempts == 1


SAME = [
    replace(SINCE, google_id=None),
    replace(SINCE, email="alice@new.example"),
    replace(SINCE, provider=Provider.GOOGLE),
    replace(SINCE, unlinked_at=SINCE.linked_at + timedelta(days=1)),
]
OTHERS = [
    replace(SINCE, google_id="2000"),
    replace(SINCE, email="alice@new.example", google_id=None),
    replace(SINCE, platform_id="cal"),
    replace(SINCE, provider=Provider.APPLE),
    replace(SINCE, linked_at=DISCONNECTED_AT),
]


@pytest.mark.parametrize("back", SAME)
@pytest.mark.parametrize("released", [False, True])
async def test_a_person_is_known_by_address_and_account(
    world: World, back: Link, *, released: bool
) -> None:
    """As everywhere; a link that has ended again says all the same that he came back."""
    name = await dead_of(world)
    job = await world.worker.jobs.create([name])
    if released:
        await turns(world)
    await world.add_links(back)
    await left_out(world, job, name)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("released", [False, True])
async def test_nobody_is_left_out_because_of_somebody_else(
    world: World, other: Link, *, released: bool
) -> None:
    """Another account, address, platform or provider; or a link of the same second."""
    name = await dead_of(world)
    await world.worker.jobs.create([name])
    if released:
        await turns(world)
    await world.add_links(other)
    await turns(world)
    assert await due(world.worker) == [name]


async def test_a_job_that_includes_the_reconnected_sends_to_them(world: World) -> None:
    """At its turn and at each later attempt."""
    name = await dead_of(world)
    job = await world.worker.jobs.create([name], include_reconnected=True)
    await world.add_links(SINCE)
    await turns(world)
    delivery = await claimed(world.worker)
    change = attempted(name, delivery.lease, RETRY, number=1, replay=True)
    await world.worker.ledger.commit([change])
    await world.pass_time(301)
    delivery = await claimed(world.worker)
    change = attempted(name, delivery.lease, Delivered(), number=2, replay=True)
    await world.worker.ledger.commit([change])
    await turns(world)
    done = await progress(world, job)
    assert (done.state, done.delivered, done.reconnected) == ("done", 1, 0)


async def test_of_two_jobs_the_one_that_includes_them_decides_while_it_runs(world: World) -> None:
    """Held up, it waits alone: the other one counts a reconnected, and is done."""
    name = await dead_of(world)
    judging = await world.worker.jobs.create([name])
    await turns(world)
    including = await world.worker.jobs.create([name], include_reconnected=True)
    await turns(world)
    await world.add_links(SINCE)
    await world.worker.jobs.pause(including)
    assert await due(world.worker) == []
    await turns(world)
    done = await progress(world, judging)
    assert (done.state, done.reconnected) == ("done", 1)
    assert (await world.row(name)).job == including
    await world.worker.jobs.resume(including)
    assert await due(world.worker) == [name]


async def test_the_reconnected_are_not_told_again_what_they_were_told(world: World) -> None:
    """What was delivered stays delivered; there is no dead letter for what was not sent again."""
    name = await dead_of(world)
    await world.worker.ledger.commit([attempted(name, "late", Delivered())])
    released = await world.worker.jobs.create([name], again=True)
    await turns(world)
    await world.add_links(SINCE)
    waiting = await world.worker.jobs.create([name], again=True)
    assert await due(world.worker) == []
    await turns(world)
    row = await world.row(name)
    assert (row.state, row.reason, row.under_way) == ("delivered", None, False)
    for job in (released, waiting):
        done = await progress(world, job)
        assert (done.state, done.reconnected, done.selected) == ("done", 1, 0)


async def test_a_first_telling_is_not_judged(world: World) -> None:
    """Who was linked at the disconnect is told of it, whatever happened to the link since."""
    one = event()
    plan = planned(one, "luma", lease="mine")
    await world.worker.events.register([intent(one, plan)])
    await world.worker.ledger.commit([attempted(plan.id, "mine", RETRY)])
    await world.add_links(SINCE)
    await world.pass_time(301)
    assert await due(world.worker) == [plan.id]


async def test_a_cancelled_jobs_reconnected_stay_counted(world: World) -> None:
    """What a job has counted does not change with its end."""
    name, other = await dead_of(world), await dead_of(world, BOB, "2000")
    job = await world.worker.jobs.create([name, other])
    await turns(world)
    await world.add_links(SINCE)
    await world.worker.jobs.pause(job)
    await world.worker.jobs.resume(job)
    delivery = await claimed(world.worker)
    failed = attempted(other, delivery.lease, EXHAUSTED, number=1, replay=True)
    await world.worker.ledger.commit([failed])
    await world.worker.jobs.cancel(job)
    await turns(world)
    done = await progress(world, job)
    counts = (done.selected, done.reconnected, done.failed, done.pending)
    assert (done.state, counts) == ("cancelled", (1, 1, 1, 0))


async def test_a_link_that_the_owner_wrote_in_clear_counts(sql_world: SqlWorld) -> None:
    """Before a worker has sealed it."""
    name = await dead_of(sql_world)
    job = await sql_world.worker.jobs.create([name])
    await turns(sql_world)
    await sql_world.insert_clear_links(SINCE)
    await left_out(sql_world, job, name)
