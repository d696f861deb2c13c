"""A registration whose answer was lost is tried again under its token: in memory as in databases.

And what a crash leaves of commits that need not reach the disk. For PostgreSQL that is tried by
killing it (``test_store_outage``); here the fake, on whose model the simulation stands.
"""

from collections.abc import Sequence

import pytest
from tests.harness.fakes.store import FakeEventStore
from tests.harness.fakes.world import FakeWorld
from tests.harness.store.examples import attempted, claimed, event, intent, planned, registered
from tests.harness.store.world import World

from disconnect_fanout.adapters.store.events.store import SqlEventStore
from disconnect_fanout.flow.intent import Intent, Registration
from disconnect_fanout.policy.change import Barrier, CopySeen
from disconnect_fanout.policy.decide import Delivered

NEW, KNOWN, CONFLICT = Registration.NEW, Registration.KNOWN, Registration.CONFLICT


async def register_as(
    world: World, writer: str, *intents: Intent, again: bool = True
) -> Sequence[Registration]:
    """Try once, under a token of the test's own, as one does whose last try had no answer."""
    store = world.worker.events
    if isinstance(store, FakeEventStore):
        return list(store.write(intents, writer, again=again))
    assert isinstance(store, SqlEventStore)
    return list(await store._inserter.register(intents, writer, again=again))


async def test_who_tries_again_finds_his_own_event_new(world: World) -> None:
    """Once more new to its writer, known to everybody else, and one row all the same."""
    one = event()
    mine = intent(one, planned(one, "luma", lease="mine"))
    assert await register_as(world, "first", mine) == [NEW]
    assert await register_as(world, "first", mine, intent(one)) == [NEW, KNOWN]
    assert await register_as(world, "second", mine) == [KNOWN]
    assert (await world.row(mine.deliveries[0].id)).lease == "mine"


async def test_a_further_try_renews_the_lease_that_is_still_his(world: World) -> None:
    """A lease counts from the last try; one that somebody else has taken meanwhile is his."""
    one, other = event(), event()
    mine = intent(one, planned(one, "luma", lease="mine"))
    lost = intent(other, planned(other, "luma", lease="mine"))
    await world.add_platform("luma")
    await register_as(world, "first", mine, lost)
    before = (await world.row(mine.deliveries[0].id)).next_at
    await world.pass_time(30)
    await register_as(world, "first", mine)
    row = await world.row(mine.deliveries[0].id)
    assert (row.next_at or 0) - row.read_at == pytest.approx(45_000, abs=5_000)
    assert before is not None
    await world.pass_time(30)
    taken = await claimed(world.worker)
    assert taken.id == lost.deliveries[0].id
    await register_as(world, "first", lost)
    assert (await world.row(taken.id)).lease == taken.lease


async def test_who_was_overtaken_has_nothing_to_send_any_more(world: World) -> None:
    """Of one delivery the lease was over and another has it: the event is known to its writer.

    What of it was still his is due at once, without an attempt that nobody made.
    """
    one = event()
    mine = intent(one, planned(one, "luma", lease="mine"), planned(one, "calcom", lease="mine"))
    await world.add_platform("luma")
    await world.add_platform("calcom")
    await register_as(world, "first", mine, again=False)
    await world.pass_time(60)
    taken = await claimed(world.worker)
    assert await register_as(world, "first", mine) == [KNOWN]
    rows = {row.platform_id: row for row in [await world.row(it.id) for it in mine.deliveries]}
    assert rows["luma"].lease == taken.lease
    left = rows["calcom"]
    assert (left.lease, left.attempts, left.state) == (None, 0, "pending")
    assert (left.next_at or 0) <= left.read_at


async def test_who_was_not_overtaken_still_has_it_all(world: World) -> None:
    """However late the further try comes, as long as nobody else has claimed."""
    one = event()
    mine = intent(one, planned(one, "luma", lease="a"), planned(one, "calcom", lease="b"))
    await register_as(world, "first", mine, again=False)
    await world.pass_time(600)
    assert await register_as(world, "first", mine) == [NEW]


async def test_another_event_under_the_id_stays_a_conflict(world: World) -> None:
    """Whoever writes it, in whichever batch."""
    one = event()
    await register_as(world, "first", intent(one))
    other = event(one.id, email="bob@example.com")
    assert await register_as(world, "second", intent(other)) == [CONFLICT]


async def test_a_crash_takes_what_no_flush_has_brought_to_the_disk() -> None:
    """Intents and claims since the last commit that was flushed, and nothing before it."""
    world = FakeWorld()
    await world.add_platform("luma")
    kept = await registered(world.worker)
    await world.worker.ledger.commit([Barrier()])
    lost = await registered(world.worker)
    await claimed_first(world)
    world.tables.crash()
    assert list(world.tables.deliveries) == [kept]
    assert (await world.row(kept)).lease is None
    assert lost not in world.tables.deliveries


async def test_a_log_is_lost_from_its_end() -> None:
    """What is left after a crash is what came first, as long as it is."""
    world = FakeWorld()
    names = [await registered(world.worker) for _ in range(3)]
    world.tables.crash(kept=2)
    assert list(world.tables.deliveries) == names[:2]


async def test_a_recorded_attempt_takes_its_intent_to_the_disk() -> None:
    """The commit for which an ack waits is flushed, with all that came before."""
    world = FakeWorld()
    name = await registered(world.worker, lease="mine")
    await world.worker.ledger.commit([attempted(name, "mine", Delivered())])
    assert world.tables.volatile == 0
    world.tables.crash(kept=1)
    assert (await world.row(name)).state == "delivered"


async def test_a_copy_of_nothing_flushes_nothing() -> None:
    """As in the databases: a transaction that changes no row writes nothing that is flushed."""
    world = FakeWorld()
    name = await registered(world.worker)
    await world.worker.ledger.commit([CopySeen("evt_unknown")])
    world.tables.crash()
    assert name not in world.tables.deliveries


async def claimed_first(world: FakeWorld) -> None:
    """Claim the longest due row."""
    await world.worker.due.claim("luma", limit=1, lease_s=45.0, holding=(), reclaim=True)
