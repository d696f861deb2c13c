"""The contract of retention: what is old and closed goes, what is open stays, and it adds up."""

from collections.abc import Sequence

from sqlalchemy import func, select, update
from tests.harness.store.examples import (
    EXHAUSTED,
    attempted,
    due,
    event,
    intent,
    planned,
    registered,
)
from tests.harness.store.examples import dead as dead_letter
from tests.harness.store.sql_world import SqlWorld
from tests.harness.store.world import Ports, World

from disconnect_fanout.adapters.store.events.old import LARGEST_BATCH
from disconnect_fanout.adapters.store.schema import tables
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.flow.intent import Registration
from disconnect_fanout.policy.change import LetterConfirmed
from disconnect_fanout.policy.decide import Delivered

KEEP_S = 3600.0
OLD_S = KEEP_S + 60
NEW, KNOWN = Registration.NEW, Registration.KNOWN


async def told(worker: Ports, one: DisconnectEvent, *platforms: str) -> list[str]:
    """Register an event and deliver it to all its platforms."""
    deliveries = [planned(one, platform, lease="mine") for platform in platforms]
    if deliveries:
        await worker.events.register([intent(one, *deliveries)])
    else:
        await worker.events.register([type(intent(one))(one, intent(one).content_hash, ())])
    await worker.ledger.commit(
        [
            attempted(delivery.id, "mine", Delivered(), platform_id=delivery.platform_id)
            for delivery in deliveries
        ]
    )
    return [delivery.id for delivery in deliveries]


async def prune(worker: Ports) -> list[int]:
    """Prune to the end of a pass; return how many rows went in each batch."""
    chore = worker.retention(KEEP_S)
    batches: list[int] = []
    while some := await chore.do_some():
        batches.append(some)
    return batches


async def known(worker: Ports, events: Sequence[DisconnectEvent]) -> list[bool]:
    """Tell which events are recorded, by what would happen to a copy."""
    answers = await worker.events.register(
        [type(intent(one))(one, intent(one).content_hash, ()) for one in events]
    )
    return [answer is KNOWN for answer in answers]


async def test_what_is_old_and_told_goes_with_all_it_has(world: World) -> None:
    """The event, its deliveries and their attempts; what is younger stays untouched."""
    worker = world.worker
    old = event()
    (gone, _) = await told(worker, old, "boardy", "luma")
    await world.pass_time(OLD_S)
    young = event()
    (stays,) = await told(worker, young, "luma")
    assert sum(await prune(worker)) == 1 + 2 + 2
    assert await world.timeline(gone) == []
    assert len(await world.timeline(stays)) == 1
    assert await known(worker, [young, old]) == [True, False]
    assert await worker.balance.difference() == 0


async def test_an_event_of_no_recipients_goes_when_it_is_old(world: World) -> None:
    """Not before: its id is the idempotency key."""
    old, young = event(), event()
    await told(world.worker, old)
    await world.pass_time(OLD_S)
    await told(world.worker, young)
    assert sum(await prune(world.worker)) == 1
    assert await known(world.worker, [old, young]) == [False, True]


async def test_open_dead_letters_and_what_waits_never_go(world: World) -> None:
    """However old; and with them stay all the deliveries of their event, so that it closes."""
    worker = world.worker
    letter = await dead_letter(worker)
    waiting = await registered(worker, "boardy")
    mixed = event()
    fine, failed = planned(mixed, "boardy", lease="a"), planned(mixed, "luma", lease="b")
    await worker.events.register([intent(mixed, fine, failed)])
    await worker.ledger.commit(
        [
            attempted(fine.id, "a", Delivered(), platform_id="boardy"),
            attempted(failed.id, "b", EXHAUSTED),
        ]
    )
    await worker.ledger.commit([LetterConfirmed(failed.id, replays=0)])
    await world.pass_time(OLD_S)
    assert await prune(worker) == []
    for name in (letter, waiting, fine.id, failed.id):
        assert (await world.row(name)).id == name
    assert await due(worker, "boardy") == [waiting]
    assert await worker.balance.difference() == 0


async def test_what_ended_lately_is_not_old(world: World) -> None:
    """A delivery's age counts from its end: a late replay keeps its receipt as long."""
    one = event()
    delivery = planned(one, "luma", lease="mine")
    await world.worker.events.register([intent(one, delivery)])
    await world.pass_time(OLD_S)
    await world.worker.ledger.commit([attempted(delivery.id, "mine", Delivered())])
    assert await prune(world.worker) == []
    await world.pass_time(OLD_S)
    assert sum(await prune(world.worker)) == 3


async def test_a_batch_is_small_and_the_balance_closes_after_each(sql_world: SqlWorld) -> None:
    """At most 500 rows a transaction, also where one event has more than that."""
    worker = sql_world.worker
    for platforms in (400, 5, 0, 5):
        await told(worker, event(), *(f"p{n}" for n in range(platforms)))
    letter = await dead_letter(worker)
    await sql_world.pass_time(OLD_S)
    chore = worker.retention(KEEP_S)
    batches: list[int] = []
    while some := await chore.do_some():
        batches.append(some)
        assert await worker.balance.difference() == 0
    assert sum(batches) == 4 + 2 * 410
    assert max(batches) <= LARGEST_BATCH
    assert (await sql_world.row(letter)).state == "dead"


async def test_old_letters_in_front_do_not_hide_what_is_behind_them(sql_world: SqlWorld) -> None:
    """Hundreds of events that must stay are passed over once in a pass."""
    for _ in range(150):
        await dead_letter(sql_world.worker)
    await sql_world.pass_time(1)
    await told(sql_world.worker, event(), "luma")
    await sql_world.pass_time(OLD_S)
    assert await prune(sql_world.worker) == [3]


async def test_an_event_that_has_become_open_again_is_left(sql_world: SqlWorld) -> None:
    """It is looked at again under lock: a replay of what was told may have begun meanwhile."""
    (name,) = await told(sql_world.worker, event(), "luma")
    await sql_world.pass_time(OLD_S)
    async with sql_world.database.record() as connection:
        again = update(tables.deliveries).where(tables.deliveries.c.id == name)
        await connection.execute(again.values(next_at=1))
    assert await prune(sql_world.worker) == []


async def test_old_replays_go_and_running_ones_stay(sql_world: SqlWorld) -> None:
    """With their items, in batches; the retention counts from a job's end."""
    worker = sql_world.worker
    ids = [await dead_letter(worker) for _ in range(3)]
    over, running = await worker.jobs.create(ids), await worker.jobs.create(ids[:1])
    async with sql_world.database.record() as connection:
        ended = update(tables.replays).where(tables.replays.c.id == over)
        now = sql_world.database.now_ms
        await connection.execute(ended.values(state="done", finished_at=now))
    assert await prune(worker) == []
    await sql_world.pass_time(OLD_S)
    assert await prune(worker) == [3, 1]
    assert await worker.jobs.progress(over) is None
    assert await worker.jobs.progress(running) is not None


async def test_a_duty_that_nobody_has_held_for_a_day_goes(sql_world: SqlWorld) -> None:
    """Names of duties change with the versions; held ones stay."""
    duty = sql_world.worker.leader_lease
    await duty.hold("of old", "worker", 30)
    await sql_world.pass_time(2 * 86_400)
    await duty.hold("sweep", "worker", 30)
    assert await prune(sql_world.worker) == [1]
    async with sql_world.database.read() as connection:
        left = await connection.execute(select(func.count()).select_from(tables.duties))
        assert left.scalar_one() == 1
