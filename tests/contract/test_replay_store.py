"""The contract of ``flow.replayer.ReplayStore``, and of the jobs that it paces."""

import asyncio
import time
from itertools import pairwise

import pytest
from tests.harness.store.examples import EXHAUSTED, attempted, claimed, dead, due, registered
from tests.harness.store.replay_examples import HORIZON_S, many_dead, progress
from tests.harness.store.world import World

from disconnect_fanout.flow.due import Expedited
from disconnect_fanout.policy.change import LetterConfirmed
from disconnect_fanout.policy.decide import Delivered, Verdict


async def test_a_replayed_delivery_starts_a_fresh_schedule(world: World) -> None:
    """Pending, step 0, age 0, one replay more; its attempts go on counting and its id stays."""
    name = await dead(world.worker)
    await world.pass_time(1000)
    job = await world.worker.jobs.create([name])
    assert await world.worker.replays.advance(HORIZON_S) == 1
    row = await world.row(name)
    assert (row.state, row.reason, row.decided_at, row.settled_at) == ("pending", None, None, None)
    assert (row.replays, row.step, row.attempts, row.job) == (1, 0, 1, job)
    delivery = await claimed(world.worker)
    assert delivery.progress.age_s == pytest.approx(0, abs=5)
    assert delivery.progress.replays == 1


async def test_a_job_ends_when_all_its_deliveries_have(world: World) -> None:
    """One delivered, one dead again: counted, and the job is done."""
    names = [await dead(world.worker) for _ in range(2)]
    job = await world.worker.jobs.create(names, reconnected=3)
    before = await progress(world, job)
    assert (before.state, before.selected, before.reconnected, before.pending) == (
        "running", 2, 3, 2,
    )  # fmt: skip
    await world.worker.replays.advance(HORIZON_S)
    claims = await world.worker.due.claim("luma", limit=5, lease_s=45, holding=(), reclaim=True)
    verdicts: list[Verdict] = [Delivered(), EXHAUSTED]
    for claim, verdict in zip(claims, verdicts, strict=True):
        change = attempted(claim.delivery.id, claim.delivery.lease, verdict, number=2, replay=True)
        await world.worker.ledger.commit([change])
    assert await world.worker.replays.advance(HORIZON_S) == 0
    after = await progress(world, job)
    assert (after.state, after.delivered, after.failed, after.pending) == ("done", 1, 1, 0)


async def test_a_job_with_a_rate_gives_evenly_spaced_slots(world: World) -> None:
    """At 10 a second, two seconds hold 20 or 21 slots; more come only as time passes."""
    await many_dead(world, 60)
    names = [letter.delivery_id for letter in await world.worker.letters.dead("", 100)]
    began = time.monotonic()
    await world.worker.jobs.create(names, rate_per_s=10)
    assert await world.worker.replays.advance(HORIZON_S) == 21
    more = await world.worker.replays.advance(HORIZON_S)
    assert more <= 1 + 10 * (time.monotonic() - began)
    rows = [await world.row(name) for name in names[:21]]
    slots = sorted(row.next_at or 0 for row in rows)
    assert [after - before for before, after in pairwise(slots)] == [100] * 20
    assert all(row.born_at == row.next_at == row.not_before for row in rows)
    await world.pass_time(1)
    await due(world.worker, limit=60)  # unsent, they would hold up the rest on a slow machine
    more += await world.worker.replays.advance(HORIZON_S)
    assert 9 <= more <= 1 + 10 * (1 + time.monotonic() - began)


async def test_a_slow_rate_still_moves(world: World) -> None:
    """One every ten seconds is slower than the horizon is long, and goes on all the same."""
    names = await many_dead(world, 2)
    await world.worker.jobs.create(names, rate_per_s=0.1)
    assert await world.worker.replays.advance(HORIZON_S) == 1
    assert await world.worker.replays.advance(HORIZON_S) == 0
    await due(world.worker)
    await world.pass_time(9)
    assert await world.worker.replays.advance(HORIZON_S) == 1


async def test_a_pause_is_not_made_up_for(world: World) -> None:
    """After an hour without a pacer the next slots start now, at the job's rate."""
    names = await many_dead(world, 50)
    await world.worker.jobs.create(names, rate_per_s=10)
    await world.worker.replays.advance(HORIZON_S)
    await world.pass_time(3)
    assert len(await due(world.worker, limit=50)) == 21
    await world.pass_time(3600)
    assert await world.worker.replays.advance(HORIZON_S) == 21


async def test_a_recovered_platform_does_not_break_the_rate(world: World) -> None:
    """Slots are kept when a breaker closes and waiting rows are expedited."""
    names = await many_dead(world, 10)
    await world.worker.jobs.create(names, rate_per_s=0.1)
    assert await world.worker.replays.advance(horizon_s=60) == 7
    assert await world.worker.due.expedite("luma", 10) == Expedited(0)
    assert len(await due(world.worker)) == 1


async def test_two_pacers_keep_one_rate(world: World) -> None:
    """Workers that advance a job at once release together what one alone would."""
    names = await many_dead(world, 100)
    await world.worker.jobs.create(names, rate_per_s=10)
    other = await world.another_worker()
    began = time.monotonic()
    turns = await asyncio.gather(
        *(ports.replays.advance(HORIZON_S) for _ in range(5) for ports in (world.worker, other))
    )
    assert 21 <= sum(turns) <= 22 + 10 * (time.monotonic() - began)
    rows = [await world.row(name) for name in names]
    slots = sorted(row.next_at for row in rows if row.next_at is not None)
    assert len(slots) == len(set(slots))


async def test_without_a_rate_five_hundred_share_a_transaction(world: World) -> None:
    """As fast as the workers can, in portions that let others have their turn."""
    names = await many_dead(world, 600)
    job = await world.worker.jobs.create(names)
    assert await world.worker.replays.advance(HORIZON_S) == 500
    assert await world.worker.replays.advance(HORIZON_S) == 100
    assert (await progress(world, job)).state == "running"
    assert len(await due(world.worker, limit=1000)) == 600


async def test_what_was_delivered_before_its_turn_is_not_sent(world: World) -> None:
    """A late report won: counted as delivered, and the job is done."""
    name = await dead(world.worker)
    job = await world.worker.jobs.create([name])
    await world.worker.ledger.commit([attempted(name, "mine", Delivered(), number=2)])
    await world.worker.replays.advance(HORIZON_S)
    await world.worker.replays.advance(HORIZON_S)
    after = await progress(world, job)
    assert (after.state, after.delivered, after.pending) == ("done", 1, 0)
    assert await due(world.worker) == []


async def test_a_delivery_in_two_jobs_is_sent_once_and_ends_both(world: World) -> None:
    """The second job rides along with the first one's attempt."""
    name = await dead(world.worker)
    jobs = [await world.worker.jobs.create([name]) for _ in range(2)]
    await world.worker.replays.advance(HORIZON_S)
    await world.worker.replays.advance(HORIZON_S)
    delivery = await claimed(world.worker)
    assert delivery.progress.replays == 1
    change = attempted(name, delivery.lease, Delivered(), number=2, replay=True)
    await world.worker.ledger.commit([change])
    await world.worker.replays.advance(HORIZON_S)
    for job in jobs:
        after = await progress(world, job)
        assert (after.state, after.delivered) == ("done", 1)


async def test_a_condemned_replay_has_failed(world: World) -> None:
    """A platform that is disabled in the middle of a job does not keep it from ending."""
    await world.add_platform("luma", enabled=False)
    name = await dead(world.worker)
    job = await world.worker.jobs.create([name])
    await world.worker.replays.advance(HORIZON_S)
    assert await world.worker.letters.dead_letter_undeliverable() == 1
    await world.worker.replays.advance(HORIZON_S)
    after = await progress(world, job)
    assert (after.state, after.failed) == ("done", 1)


async def test_only_deliveries_that_exist_are_selected(world: World) -> None:
    """An unknown id is left out; a job with nothing to do is done; an unknown job is None."""
    job = await world.worker.jobs.create(["wh_del_unknown"])
    await world.worker.replays.advance(HORIZON_S)
    after = await progress(world, job)
    assert (after.state, after.selected, after.pending) == ("done", 0, 0)
    assert await world.worker.jobs.progress("nosuchjob") is None


async def test_a_death_without_a_confirmed_letter_can_be_replayed(world: World) -> None:
    """The letter of the earlier death, confirmed late, then says nothing."""
    name = await registered(world.worker, lease="mine")
    await world.worker.ledger.commit([attempted(name, "mine", EXHAUSTED)])
    await world.worker.jobs.create([name])
    await world.worker.replays.advance(HORIZON_S)
    await world.worker.ledger.commit([LetterConfirmed(name, replays=0)])
    row = await world.row(name)
    assert (row.state, row.reason, row.replays) == ("pending", None, 1)
