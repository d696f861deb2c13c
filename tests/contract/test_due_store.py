"""The contract of ``flow.due.DueStore``."""

import asyncio

import pytest
from tests.harness.store.examples import (
    EXHAUSTED,
    LEASE_S,
    RETRY,
    attempted,
    claimed,
    due,
    event,
    intent,
    planned,
    registered,
)
from tests.harness.store.world import Ports, World

from disconnect_fanout.domain.outcome import Result
from disconnect_fanout.flow.due import Expedited
from disconnect_fanout.policy.change import LetterConfirmed
from disconnect_fanout.policy.decide import Delivered, RetryIn


async def test_platforms_with_something_due_are_named(world: World) -> None:
    """Only those among the asked ones that have a row whose time has come."""
    for platform_id in ("boardy", "cal", "luma", "other"):
        await world.add_platform(platform_id)
    await registered(world.worker, "luma")
    await registered(world.worker, "other")
    await registered(world.worker, "boardy", lease="mine")
    found = await world.worker.due.due_platforms(["boardy", "cal", "luma"])
    assert list(found) == ["luma"]


async def test_the_longest_due_go_first_up_to_the_limit(world: World) -> None:
    """A claim takes no more than there are free slots, and is fair to who waited longest."""
    names = []
    for _ in range(3):
        names.append(await registered(world.worker))
        await world.pass_time(1)
    assert await due(world.worker, limit=2) == names[:2]
    assert await due(world.worker) == names[2:]


async def test_a_claim_tells_how_far_the_delivery_has_come(world: World) -> None:
    """Attempts, steps of the schedule and age come with it."""
    name = await registered(world.worker, lease="mine")
    await world.worker.ledger.commit([attempted(name, "mine", RETRY)])
    await world.pass_time(400)
    delivery = await claimed(world.worker)
    assert (delivery.id, delivery.platform_id) == (name, "luma")
    assert (delivery.progress.attempts, delivery.progress.step) == (1, 1)
    assert delivery.progress.age_s == pytest.approx(400, abs=5)
    assert delivery.progress.replays == 0


async def test_a_claimed_row_is_not_claimed_again(world: World) -> None:
    """A lease keeps others away until it ends."""
    name = await registered(world.worker)
    other = await world.another_worker()
    assert await due(world.worker) == [name]
    assert await due(other) == []
    await world.pass_time(LEASE_S - 10)
    assert await due(other) == []


async def test_an_expired_lease_is_an_interrupted_attempt(world: World) -> None:
    """A dead worker's row is due again; its attempt is in the timeline, and it counts."""
    name = await registered(world.worker, lease="dead worker's")
    await world.pass_time(LEASE_S + 1)
    (claim,) = await world.worker.due.claim(
        "luma", limit=5, lease_s=LEASE_S, holding=(), reclaim=True
    )
    assert claim.interrupted
    assert claim.delivery.progress.attempts == 1
    row = await world.row(name)
    assert (row.attempts, row.last_result, row.lease) == (1, "interrupted", claim.delivery.lease)
    assert row.first_failed_at is not None
    (attempt,) = await world.timeline(name)
    assert (attempt.number, attempt.result, attempt.status) == (1, Result.INTERRUPTED, None)


async def test_a_late_report_replaces_the_guess(world: World) -> None:
    """A worker that was only slow reports after all: the timeline then tells what happened."""
    name = await registered(world.worker, lease="slow worker's")
    await world.pass_time(LEASE_S + 1)
    await claimed(world.worker)
    late = attempted(name, "slow worker's", Delivered(), answer="ok")
    await world.worker.ledger.commit([late])
    assert list(await world.timeline(name)) == [late.attempt]


async def test_after_an_outage_expired_leases_can_be_left_alone(world: World) -> None:
    """Without ``reclaim`` only rows that nobody holds are claimed."""
    held = await registered(world.worker, lease="reports soon")
    await world.pass_time(LEASE_S + 1)
    free = await registered(world.worker)
    assert await due(world.worker, reclaim=False) == [free]
    assert await due(world.worker) == [held]


async def test_what_a_worker_has_in_hand_it_never_claims(world: World) -> None:
    """Expired or not."""
    held = await registered(world.worker, lease="mine")
    await world.pass_time(LEASE_S + 1)
    free = await registered(world.worker)
    claims = await world.worker.due.claim(
        "luma", limit=5, lease_s=LEASE_S, holding=[held], reclaim=True
    )
    assert [claim.delivery.id for claim in claims] == [free]


async def test_two_claimers_never_share_a_row(world: World) -> None:
    """Many claims at once by two workers: each of 120 rows is claimed exactly once."""
    events = [event() for _ in range(120)]
    await world.worker.events.register([intent(one) for one in events])
    other = await world.another_worker()
    batches = await asyncio.gather(
        *(due(ports, limit=10) for _ in range(20) for ports in (world.worker, other))
    )
    names = [name for batch in batches for name in batch]
    assert len(names) == len(set(names))
    while batch := await due(world.worker, limit=50):
        names += batch
    assert sorted(names) == sorted(planned(one, "luma").id for one in events)


async def test_hastened_rows_are_due_at_once(world: World) -> None:
    """When a platform is back, what waits for it is due; other platforms' rows are not."""
    names = [await registered(world.worker, lease="mine") for _ in range(3)]
    elsewhere = await registered(world.worker, "cal", lease="mine")
    await world.worker.ledger.commit(
        [attempted(name, "mine", RETRY) for name in [*names, elsewhere]]
    )
    assert await world.worker.due.expedite("luma", 10) == Expedited(3)
    assert sorted(await due(world.worker)) == sorted(names)
    assert await due(world.worker, "cal") == []


async def test_no_more_is_hastened_than_asked(world: World) -> None:
    """The first ones are those whose turn is next."""
    names = []
    for wait in (300.0, 200.0, 100.0):
        names.append(await registered(world.worker, lease="mine"))
        retry = RetryIn(wait, at_least_s=0.0, step=1)
        await world.worker.ledger.commit([attempted(names[-1], "mine", retry)])
    assert await world.worker.due.expedite("luma", 2) == Expedited(2)
    assert sorted(await due(world.worker)) == sorted(names[1:])
    assert await world.worker.due.expedite("luma", 2) == Expedited(1)


async def test_nothing_is_hastened_before_its_retry_after(world: World) -> None:
    """What a platform asked for is kept, and the store tells when it will be over."""
    name = await registered(world.worker, lease="mine")
    asked = RetryIn(300.0, at_least_s=60.0, step=1)
    await world.worker.ledger.commit([attempted(name, "mine", asked)])
    early = await world.worker.due.expedite("luma", 5)
    assert early.count == 0
    assert early.more_in_s == pytest.approx(60, abs=5)
    await world.pass_time(50)
    assert (await world.worker.due.expedite("luma", 5)).count == 0
    assert await due(world.worker) == []
    await world.pass_time(11)
    assert await world.worker.due.expedite("luma", 5) == Expedited(1)
    assert await due(world.worker) == [name]


async def test_a_row_that_was_hastened_in_vain_keeps_its_next_turn(world: World) -> None:
    """Of two waits in a row one at most is shortened, and the store does not count on it."""
    name = await registered(world.worker, lease="mine")
    await world.worker.ledger.commit([attempted(name, "mine", RETRY)])
    assert await world.worker.due.expedite("luma", 5) == Expedited(1)
    again = await claimed(world.worker)
    assert again.progress.step == 1
    retry = RetryIn(600.0, at_least_s=0.0, step=2)
    await world.worker.ledger.commit([attempted(name, again.lease, retry, number=2)])
    assert await world.worker.due.expedite("luma", 5) == Expedited(0)
    await world.pass_time(601)
    at_its_turn = await claimed(world.worker)
    retry = RetryIn(900.0, at_least_s=0.0, step=3)
    await world.worker.ledger.commit([attempted(name, at_its_turn.lease, retry, number=3)])
    assert await world.worker.due.expedite("luma", 5) == Expedited(1)


async def test_hastening_leaves_leased_and_due_rows_alone(worker: Ports) -> None:
    """What is being sent is not made due under the sender's hands."""
    await registered(worker, lease="mine")
    await registered(worker)
    assert await worker.due.expedite("luma", 5) == Expedited(0)
    assert len(await due(worker)) == 1


async def test_interruptions_are_counted_in_their_round(world: World) -> None:
    """A lease that expired counts, a failure that was recorded does not; a replay begins at 0."""
    name = await registered(world.worker, lease="mine")
    for count in (1, 2):
        await world.pass_time(LEASE_S + 1)
        delivery = await claimed(world.worker)
        assert delivery.progress.interruptions == count
    await world.worker.ledger.commit([attempted(name, delivery.lease, RETRY, number=3)])
    await world.pass_time(301)
    delivery = await claimed(world.worker)
    assert (delivery.progress.interruptions, delivery.progress.step) == (2, 1)
    await world.worker.ledger.commit([attempted(name, delivery.lease, EXHAUSTED, number=4)])
    await world.worker.ledger.commit([LetterConfirmed(name, replays=0)])
    await world.worker.jobs.create([name])
    await world.worker.replays.advance(2.0)
    assert (await claimed(world.worker)).progress.interruptions == 0
