"""The contract of telling again what was told: it stays delivered, whatever comes of it."""

import pytest
from tests.harness.store.examples import EXHAUSTED, LEASE_S, RETRY, attempted, claimed, due
from tests.harness.store.replay_examples import HORIZON_S, claimed_some, progress, told
from tests.harness.store.world import World

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.policy.change import GivenUp
from disconnect_fanout.policy.decide import DeadLettered, Delivered


async def test_what_was_delivered_is_sent_again_and_stays_delivered(world: World) -> None:
    """The second telling adds attempts and counts in its job; nothing makes it undelivered."""
    name = await told(world)
    await world.pass_time(100)
    before = await world.row(name)
    job = await world.worker.jobs.create([name], again=True)
    assert await world.worker.replays.advance(HORIZON_S) == 1
    row = await world.row(name)
    assert (row.state, row.replays, row.step, row.job) == ("delivered", 1, 0, job)
    delivery = await claimed(world.worker)
    assert delivery.progress.delivered
    change = attempted(name, delivery.lease, Delivered(), number=2, replay=True)
    await world.worker.ledger.commit([change])
    await world.worker.replays.advance(HORIZON_S)
    after = await progress(world, job)
    assert (after.state, after.delivered, after.failed) == ("done", 1, 0)
    row = await world.row(name)
    assert (row.state, row.attempts, row.under_way) == ("delivered", 2, False)
    assert row.settled_at == before.settled_at, "since then the platform knows"


@pytest.mark.parametrize("gone", [False, True])
async def test_a_second_telling_that_fails_is_no_dead_letter(world: World, *, gone: bool) -> None:
    """It follows the schedule, then counts as failed; a 410 disables the platform all the same."""
    await world.add_platform("luma")
    name = await told(world)
    job = await world.worker.jobs.create([name], again=True)
    await world.worker.replays.advance(HORIZON_S)
    delivery = await claimed(world.worker)
    change = attempted(name, delivery.lease, RETRY, number=2, replay=True)
    await world.worker.ledger.commit([change])
    await world.pass_time(301)
    delivery = await claimed(world.worker)
    verdict = DeadLettered(DeadReason.GONE, disables_platform=True) if gone else EXHAUSTED
    change = attempted(name, delivery.lease, verdict, number=3, replay=True)
    await world.worker.ledger.commit([change])
    await world.worker.replays.advance(HORIZON_S)
    after = await progress(world, job)
    assert (after.state, after.delivered, after.failed) == ("done", 0, 1)
    row = await world.row(name)
    assert (row.state, row.reason, row.decided_at, row.under_way) == (
        "delivered", None, None, False,
    )  # fmt: skip
    assert await world.worker.letters.standing([name]) == {}
    assert sum((await world.worker.letters.count_dead()).values()) == 0
    (platform,) = await world.worker.platforms.platforms()
    assert platform.enabled is not gone


async def test_what_was_told_is_not_undone_by_giving_up(world: World) -> None:
    """An expired or a condemned second telling has failed, and the delivery stays delivered."""
    names = [await told(world) for _ in range(2)]
    job = await world.worker.jobs.create(names, again=True)
    await world.worker.replays.advance(HORIZON_S)
    (one, lease), _ = (await claimed_some(world, 2)).items()
    await world.worker.ledger.commit([GivenUp(one, lease, DeadReason.EXPIRED)])
    await world.pass_time(LEASE_S + 11)
    assert await world.worker.letters.dead_letter_undeliverable() == 1
    await world.worker.replays.advance(HORIZON_S)
    after = await progress(world, job)
    assert (after.state, after.failed) == ("done", 2)
    assert {(await world.row(name)).state for name in names} == {"delivered"}


async def test_a_late_report_of_the_first_telling_does_not_end_the_second(world: World) -> None:
    """Only who sends it again says what became of that."""
    name = await told(world)
    job = await world.worker.jobs.create([name], again=True)
    await world.worker.replays.advance(HORIZON_S)
    await world.worker.ledger.commit([attempted(name, "long gone", Delivered())])
    assert (await progress(world, job)).pending == 1
    assert (await world.row(name)).under_way


async def test_a_cancelled_second_telling_leaves_no_trace(world: World) -> None:
    """What was not sent again is delivered, waits for nothing and has no letter."""
    name = await told(world)
    job = await world.worker.jobs.create([name], again=True)
    await world.worker.replays.advance(HORIZON_S)
    await world.worker.jobs.cancel(job)
    await world.worker.replays.advance(HORIZON_S)
    row = await world.row(name)
    assert (row.state, row.reason, row.under_way) == ("delivered", None, False)
    assert (await progress(world, job)).pending == 1


async def test_a_job_of_dead_letters_sends_nothing_to_who_was_told(world: World) -> None:
    """Even if it was delivered between the choice and the storing of the job."""
    name = await told(world)
    job = await world.worker.jobs.create([name])
    await world.worker.replays.advance(HORIZON_S)
    await world.worker.replays.advance(HORIZON_S)
    after = await progress(world, job)
    assert (after.state, after.delivered) == ("done", 1)
    assert await due(world.worker) == []
