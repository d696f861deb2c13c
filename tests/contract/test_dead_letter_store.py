"""The contract of ``flow.letters.DeadLetterStore``."""

from tests.harness.store.examples import (
    DISCONNECTED_AT,
    EXHAUSTED,
    LEASE_S,
    RETRY,
    attempted,
    claimed,
    dead,
    due,
    registered,
)
from tests.harness.store.world import World

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.outcome import Result
from disconnect_fanout.policy.change import LetterConfirmed


async def decided(world: World, platform_id: str = "luma") -> str:
    """Return a delivery whose death is decided, its letter not confirmed."""
    name = await registered(world.worker, platform_id, lease="mine")
    await world.worker.ledger.commit([attempted(name, "mine", EXHAUSTED, platform_id=platform_id)])
    return name


async def test_a_letter_tells_all_that_an_operator_asks_first(world: World) -> None:
    """Why, how often, with which answer, since when; and no user."""
    name = await decided(world)
    row = await world.row(name)
    (letter,) = await world.worker.letters.decided([name, "wh_del_unknown"])
    assert (letter.delivery_id, letter.event_id, letter.platform_id) == (name, row.event_id, "luma")
    assert (letter.reason, letter.attempts) == (DeadReason.EXHAUSTED, 1)
    assert (letter.last_result, letter.last_status) == ("refused", 500)
    assert letter.first_failed_at == DISCONNECTED_AT
    assert letter.replays == 0


async def test_decided_and_dead_are_told_apart(world: World) -> None:
    """Once its letter is confirmed a row is dead, and no longer among the decided."""
    first, second = await decided(world), await decided(world)
    await world.worker.ledger.commit([LetterConfirmed(first, replays=0)])
    letters = world.worker.letters
    assert [one.delivery_id for one in await letters.decided([first, second])] == [second]
    assert [one.delivery_id for one in await letters.dead("", 10)] == [first]
    assert await letters.standing([first, second, "wh_del_x"]) == {first: 0, second: 0}


async def test_overdue_letters_are_those_whose_worker_is_gone(world: World) -> None:
    """Only what has been decided for longer than asked, the oldest first, up to the limit."""
    old = await decided(world)
    await world.pass_time(10)
    older_than_5 = [await decided(world), await decided(world)]
    await world.pass_time(6)
    await decided(world)
    letters = await world.worker.letters.overdue(5, limit=10)
    assert letters[0].delivery_id == old
    assert sorted(one.delivery_id for one in letters) == sorted([old, *older_than_5])
    assert len(await world.worker.letters.overdue(5, limit=1)) == 1


async def test_the_dead_are_walked_in_the_order_of_their_ids(world: World) -> None:
    """Page by page, each once."""
    names = sorted([await dead(world.worker) for _ in range(5)])
    letters = world.worker.letters
    first = [one.delivery_id for one in await letters.dead("", 3)]
    assert first == names[:3]
    assert [one.delivery_id for one in await letters.dead(first[-1], 3)] == names[3:]


async def test_the_dead_are_counted_by_platform(world: World) -> None:
    """Open dead letters only: what is decided, delivered or waiting is none."""
    await dead(world.worker, "luma")
    await dead(world.worker, "luma")
    await dead(world.worker, "cal")
    await decided(world, "boardy")
    assert dict(await world.worker.letters.count_dead()) == {"luma": 2, "cal": 1}


async def test_a_replayed_delivery_has_no_letter(world: World) -> None:
    """Its old letter stands no longer; the next one carries another count."""
    name = await dead(world.worker)
    await world.worker.jobs.create([name])
    await world.worker.replays.advance(2.0)
    assert not await world.worker.letters.standing([name])
    delivery = await claimed(world.worker)
    again = attempted(name, delivery.lease, EXHAUSTED, number=2, replay=True)
    await world.worker.ledger.commit([again])
    assert await world.worker.letters.standing([name]) == {name: 1}
    (letter,) = await world.worker.letters.decided([name])
    assert (letter.attempts, letter.replays) == (2, 1)


async def test_what_nobody_will_send_is_decided(world: World) -> None:
    """Waiting rows of disabled and of unknown platforms die with their reason, never in silence."""
    await world.add_platform("luma")
    await world.add_platform("off", enabled=False)
    fine, off = await registered(world.worker), await registered(world.worker, "off")
    unknown = await registered(world.worker, "unknown", lease="mine")
    await world.worker.ledger.commit([attempted(unknown, "mine", RETRY, platform_id="unknown")])
    assert await world.worker.letters.dead_letter_undeliverable() == 2
    assert await world.worker.letters.dead_letter_undeliverable() == 0
    assert (await world.row(off)).reason == "endpoint_disabled"
    assert (await world.row(unknown)).reason == "unknown_platform"
    assert await due(world.worker) == [fine]


async def test_what_is_being_sent_is_not_condemned(world: World) -> None:
    """A leased row is its worker's; an abandoned one is interrupted, then decided."""
    name = await registered(world.worker, "unknown", lease="mine")
    assert await world.worker.letters.dead_letter_undeliverable() == 0
    await world.pass_time(LEASE_S + 5)
    assert await world.worker.letters.dead_letter_undeliverable() == 0
    await world.pass_time(10)
    assert await world.worker.letters.dead_letter_undeliverable() == 1
    (attempt,) = await world.timeline(name)
    assert attempt.result is Result.INTERRUPTED
    assert (await world.row(name)).attempts == 1
