"""The contract of ``flow.recorder.Ledger``: what each change makes of a delivery."""

import pytest
from tests.harness.store.examples import (
    DISCONNECTED_AT,
    EXHAUSTED,
    RETRY,
    attempted,
    claimed,
    dead,
    due,
    event,
    intent,
    planned,
    registered,
)
from tests.harness.store.world import Ports, World

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.instant import to_ms
from disconnect_fanout.domain.outcome import Result
from disconnect_fanout.policy.change import (
    Barrier,
    Change,
    CopySeen,
    GivenBack,
    GivenUp,
    LetterConfirmed,
)
from disconnect_fanout.policy.decide import DeadLettered, Delivered, RetryIn, TryAgainNow

GONE = DeadLettered(DeadReason.GONE, disables_platform=True)


async def test_delivered_is_settled(world: World) -> None:
    """A delivered row waits for nothing, and its attempt is in the timeline."""
    name = await registered(world.worker, lease="mine")
    change = attempted(name, "mine", Delivered(), answer="thanks")
    await world.worker.ledger.commit([change])
    row = await world.row(name)
    assert (row.state, row.attempts, row.last_result, row.last_status) == (
        "delivered", 1, "delivered", 200,
    )  # fmt: skip
    assert (row.lease, row.next_at, row.first_failed_at) == (None, None, None)
    assert row.settled_at is not None
    assert list(await world.timeline(name)) == [change.attempt]


async def test_a_retry_is_due_after_its_wait(world: World) -> None:
    """A failure frees the lease and advances the schedule; it is due by the database's clock."""
    name = await registered(world.worker, lease="mine")
    await world.worker.ledger.commit([attempted(name, "mine", RETRY)])
    row = await world.row(name)
    assert (row.state, row.lease, row.step, row.not_before) == ("pending", None, 1, None)
    assert row.next_at is not None
    assert abs(row.next_at - row.read_at - 300_000) < 5000
    assert row.first_failed_at == to_ms(DISCONNECTED_AT)
    assert await due(world.worker) == []
    await world.pass_time(301)
    assert await due(world.worker) == [name]


async def test_an_asked_for_wait_is_kept_apart_from_the_schedule(world: World) -> None:
    """What a Retry-After asked for is a bound of its own, below the whole wait."""
    name = await registered(world.worker, lease="mine")
    verdict = RetryIn(300.0, at_least_s=60.0, step=1)
    await world.worker.ledger.commit([attempted(name, "mine", verdict)])
    row = await world.row(name)
    assert row.next_at is not None
    assert row.not_before is not None
    assert row.next_at - row.not_before == 240_000


async def test_a_stale_leases_failure_changes_nothing(world: World) -> None:
    """After another worker took over, a retry or a death reported late is only history."""
    name = await registered(world.worker, lease="mine")
    await world.pass_time(60)
    taken = await claimed(world.worker)
    for verdict in (RETRY, EXHAUSTED, TryAgainNow()):
        await world.worker.ledger.commit([attempted(name, "mine", verdict)])
    row = await world.row(name)
    assert (row.state, row.lease, row.reason, row.step) == ("pending", taken.lease, None, 0)
    assert row.last_result == "interrupted"
    stale: list[Change] = [GivenBack(name, "mine"), GivenUp(name, "mine", DeadReason.EXPIRED)]
    await world.worker.ledger.commit(stale)
    assert (await world.row(name)).lease == taken.lease


async def test_what_somebody_else_has_decided_is_fenced_out_and_said(world: World) -> None:
    """So nobody counts it: neither a stale death, nor what is gone, nor a second delivery."""
    name = await registered(world.worker, lease="mine")
    await world.pass_time(60)
    taken = await claimed(world.worker)
    commit = world.worker.ledger.commit
    stale: list[Change] = [
        attempted(name, "mine", EXHAUSTED),
        GivenBack(name, "mine"),
        GivenUp(name, "mine", DeadReason.EXPIRED),
        GivenUp("wh_del_unknown", "mine", DeadReason.EXPIRED),
        LetterConfirmed(name, replays=0),
    ]
    mine = attempted(name, taken.lease, Delivered(), number=2)
    assert list(await commit([*stale, Barrier(), CopySeen("evt_unknown"), mine])) == stale
    late = attempted(name, "mine", Delivered())
    assert list(await commit([late])) == [late]


async def test_a_stale_leases_delivered_wins(world: World) -> None:
    """The platform knows, whoever reports it; the other worker's later failure is void."""
    name = await registered(world.worker, lease="mine")
    await world.pass_time(60)
    taken = await claimed(world.worker)
    assert not await world.worker.ledger.commit([attempted(name, "mine", Delivered())])
    await world.worker.ledger.commit([attempted(name, taken.lease, EXHAUSTED, number=2)])
    row = await world.row(name)
    assert (row.state, row.reason, row.lease, row.attempts) == ("delivered", None, None, 2)
    results = [attempt.result for attempt in await world.timeline(name)]
    assert results == [Result.DELIVERED, Result.REFUSED]


@pytest.mark.parametrize("confirmed", [False, True])
async def test_delivered_wins_over_a_death(world: World, confirmed: bool) -> None:  # noqa: FBT001
    """A decided and a dead row turn delivered, and their letter stands no longer."""
    name = await registered(world.worker, lease="mine")
    await world.worker.ledger.commit([attempted(name, "mine", EXHAUSTED)])
    if confirmed:
        await world.worker.ledger.commit([LetterConfirmed(name, replays=0)])
    await world.worker.ledger.commit([attempted(name, "mine", Delivered(), number=2)])
    row = await world.row(name)
    assert (row.state, row.reason, row.decided_at) == ("delivered", None, None)
    assert not await world.worker.letters.standing([name])


async def test_a_quick_second_try_keeps_the_lease(world: World) -> None:
    """It counts as an attempt and as a failure, and the delivery stays in hand."""
    name = await registered(world.worker, lease="mine")
    before = await world.row(name)
    await world.worker.ledger.commit([attempted(name, "mine", TryAgainNow())])
    row = await world.row(name)
    assert (row.attempts, row.step, row.lease, row.next_at) == (1, 0, "mine", before.next_at)
    assert row.first_failed_at is not None


async def test_changes_of_one_delivery_keep_their_order_within_a_batch(world: World) -> None:
    """A failure and the success after it may share a commit; the last one stands."""
    name = await registered(world.worker, lease="mine")
    first = attempted(name, "mine", TryAgainNow())
    await world.worker.ledger.commit([first, attempted(name, "mine", Delivered(), number=2)])
    row = await world.row(name)
    assert (row.state, row.attempts, row.last_status) == ("delivered", 2, 200)
    assert [one.number for one in await world.timeline(name)] == [1, 2]


async def test_writing_a_change_twice_is_harmless(world: World) -> None:
    """A commit whose answer was lost is written again, and nothing moves by it."""
    name = await registered(world.worker, lease="mine")
    changes = [attempted(name, "mine", RETRY)]
    await world.worker.ledger.commit(changes)
    once = await world.row(name)
    await world.worker.ledger.commit(changes)
    twice = await world.row(name)
    assert (twice.next_at, twice.attempts) == (once.next_at, once.attempts)
    assert len(await world.timeline(name)) == 1


async def test_a_dead_delivery_is_decided_until_its_letter_is_confirmed(world: World) -> None:
    """No more requests from the decision on; dead only after the broker has the letter."""
    name = await registered(world.worker, lease="mine")
    await world.worker.ledger.commit([attempted(name, "mine", EXHAUSTED)])
    row = await world.row(name)
    assert (row.state, row.reason, row.next_at, row.lease) == ("pending", "exhausted", None, None)
    assert row.decided
    await world.worker.ledger.commit([LetterConfirmed(name, replays=1)])
    assert (await world.row(name)).state == "pending"
    await world.worker.ledger.commit([LetterConfirmed(name, replays=0)])
    row = await world.row(name)
    assert (row.state, row.settled_at is not None) == ("dead", True)


async def test_a_410_disables_the_endpoint_that_was_asked(world: World) -> None:
    """The platform is disabled together with the delivery's death."""
    await world.add_platform("luma")
    name = await registered(world.worker, lease="mine")
    await world.worker.ledger.commit([attempted(name, "mine", GONE)])
    (platform,) = await world.worker.platforms.platforms()
    assert not platform.enabled
    assert (await world.row(name)).reason == "gone"


@pytest.mark.parametrize(("lease", "revision"), [("mine", 2), ("stale", 1)])
async def test_a_late_410_does_not_disable_another_endpoint(
    world: World, lease: str, revision: int
) -> None:
    """A platform with a new URL or secret stays enabled, and so it does after a stale report."""
    await world.add_platform("luma")
    name = await registered(world.worker, lease="mine")
    await world.worker.ledger.commit([attempted(name, lease, GONE, revision=revision)])
    (platform,) = await world.worker.platforms.platforms()
    assert platform.enabled


async def test_given_back_is_due_at_once_and_burns_no_attempt(world: World) -> None:
    """Shutdown is not failure."""
    name = await registered(world.worker, lease="mine")
    await world.worker.ledger.commit([GivenBack(name, "mine")])
    delivery = await claimed(world.worker)
    assert (delivery.id, delivery.progress.attempts) == (name, 0)


async def test_given_back_for_our_own_want_is_due_a_little_later(world: World) -> None:
    """No attempt, no failure, no lease: only the next turn is put off, by the database's clock."""
    name = await registered(world.worker, lease="mine")
    before = await world.row(name)
    await world.worker.ledger.commit([GivenBack(name, "mine", wait_s=3.0)])
    row = await world.row(name)
    assert (row.lease, row.attempts, row.step) == (None, before.attempts, before.step)
    assert (row.last_result, row.first_failed_at, row.not_before) == (None, None, None)
    assert row.next_at is not None
    assert abs(row.next_at - row.read_at - 3000) < 2000
    assert await world.timeline(name) == []
    assert await due(world.worker) == []
    await world.pass_time(4)
    delivery = await claimed(world.worker)
    assert (delivery.id, delivery.progress.attempts) == (name, 0)
    late = GivenBack(name, "mine", wait_s=500.0)  # written twice, or after another took over
    await world.worker.ledger.commit([late])
    assert (await world.row(name)).lease == delivery.lease


async def test_what_was_given_back_after_a_failed_try_keeps_that_try(world: World) -> None:
    """A stale connection's attempt and the giving back of the second share a commit."""
    name = await registered(world.worker, lease="mine")
    first = attempted(name, "mine", TryAgainNow())
    await world.worker.ledger.commit([first, GivenBack(name, "mine", wait_s=1.0)])
    row = await world.row(name)
    assert (row.attempts, row.step, row.lease) == (1, 0, None)
    assert [one.number for one in await world.timeline(name)] == [1]


async def test_given_up_is_decided_without_a_request(world: World) -> None:
    """A delivery that is not sent any more dies with its reason and no attempt."""
    name = await registered(world.worker, lease="mine")
    await world.worker.ledger.commit([GivenUp(name, "mine", DeadReason.ENDPOINT_DISABLED)])
    row = await world.row(name)
    assert (row.decided, row.reason, row.attempts) == (True, "endpoint_disabled", 0)


async def test_copies_are_counted(world: World) -> None:
    """Each arrival of a known event counts, several in one batch too."""
    one = event()
    await world.worker.events.register([intent(one)])
    await world.worker.ledger.commit([CopySeen(one.id), Barrier(), CopySeen(one.id)])
    await world.worker.ledger.commit([CopySeen(one.id)])
    assert await world.copies(one.id) == 3


async def test_a_change_of_what_is_no_longer_there_is_left_out(worker: Ports) -> None:
    """A delivery that was pruned or forgotten meanwhile fails nobody's commit."""
    await worker.ledger.commit([attempted("wh_del_x", "mine", Delivered()), CopySeen("evt_x")])


async def test_what_a_platform_answered_is_kept_as_far_as_it_can_be(world: World) -> None:
    """An answer may hold anything; what no database stores is replaced, the rest is kept."""
    name = await registered(world.worker, lease="mine")
    answer = "a\0b 🎉 \ud83d 'x' \x1b[31m"
    await world.worker.ledger.commit([attempted(name, "mine", RETRY, answer=answer)])
    (attempt,) = await world.timeline(name)
    assert attempt.answer.startswith("a")
    assert "🎉" in attempt.answer
    assert "'x' \x1b[31m" in attempt.answer


async def test_five_hundred_mixed_changes_share_a_commit(world: World) -> None:
    """All kinds of changes in one batch each do what they do alone."""
    ports = world.worker
    events = [event() for _ in range(100)]
    plans = {one.id: [planned(one, p, lease="mine") for p in "abcd"] for one in events}
    await ports.events.register([intent(one, *plans[one.id]) for one in events])
    changes: list[Change] = []
    for one in events:
        a, b, c, d = plans[one.id]
        changes += [
            attempted(a.id, "mine", Delivered()),
            attempted(b.id, "mine", RETRY),
            GivenUp(c.id, "mine", DeadReason.EXPIRED),
            GivenBack(d.id, "mine"),
            CopySeen(one.id),
        ]
    await ports.ledger.commit(changes)
    for one in (events[0], events[-1]):
        rows = [await world.row(delivery.id) for delivery in plans[one.id]]
        assert [row.state for row in rows] == ["delivered", "pending", "pending", "pending"]
        assert [row.reason for row in rows] == [None, None, "expired", None]
        assert await world.copies(one.id) == 1


async def test_a_confirmed_letter_of_an_earlier_death_confirms_nothing(world: World) -> None:
    """A letter that was published before a replay does not stand for the death after it."""
    name = await dead(world.worker)
    job = await world.worker.jobs.create([name])
    await world.worker.replays.advance(2.0)
    delivery = await claimed(world.worker)
    change = attempted(name, delivery.lease, EXHAUSTED, number=2, replay=True)
    await world.worker.ledger.commit([change, LetterConfirmed(name, replays=0)])
    assert (await world.row(name)).decided
    progress = await world.worker.jobs.progress(job)
    assert progress is not None
    assert progress.failed == 1
