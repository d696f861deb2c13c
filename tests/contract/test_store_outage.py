"""What the databases' adapters do in an outage: wait, write once, and say nothing of users."""

import asyncio
import traceback
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import insert, select
from tests.harness.servers.postgres import PrivatePostgres
from tests.harness.store.examples import (
    EXHAUSTED,
    RETRY,
    attempted,
    due,
    event,
    intent,
    planned,
    registered,
)
from tests.harness.store.failing_database import Cut, FailingDatabase
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.deliveries.due import SqlDueStore
from disconnect_fanout.adapters.store.deliveries.ledger import SqlLedger
from disconnect_fanout.adapters.store.events.store import SqlEventStore
from disconnect_fanout.adapters.store.schema.tables import events, installation, links
from disconnect_fanout.flow.fact import DependencyChanged, Fact
from disconnect_fanout.flow.intent import Registration
from disconnect_fanout.flow.outage import DataRefused, StoreUnreachable
from disconnect_fanout.policy.change import Barrier
from disconnect_fanout.policy.decide import Delivered, Verdict

NEW, KNOWN = Registration.NEW, Registration.KNOWN


@pytest.fixture
async def own_world(own_postgres: PrivatePostgres) -> AsyncIterator[SqlWorld]:
    """A PostgreSQL of this test alone, migrated."""
    world = await SqlWorld.on(await own_postgres.create_database())
    yield world
    await world.close()


def failing(world: SqlWorld, *cuts: Cut) -> FailingDatabase:
    """Return a database that fails so, closed with the world."""
    database = FailingDatabase(world.url, *cuts)
    world.databases.append(database)
    return database


async def at_once(_seconds: float) -> None:
    """Wait for nothing between two tries."""
    await asyncio.sleep(0)


@pytest.mark.parametrize("cuts", [[Cut.BEFORE], [Cut.ANSWER], [Cut.ANSWER, Cut.BEFORE, Cut.ANSWER]])
async def test_an_event_whose_commits_answer_is_lost_is_still_new(
    sql_world: SqlWorld, cuts: list[Cut]
) -> None:
    """Its leases are this worker's to serve: called known, nobody would send it for a minute."""
    store = SqlEventStore(failing(sql_world, *cuts), sql_world.seals, sleep=at_once)
    one = event()
    intents = [intent(one, planned(one, "luma", lease="mine")), intent(one)]
    assert list(await store.register(intents)) == [NEW, KNOWN]
    assert (await sql_world.row(planned(one, "luma").id)).lease == "mine"
    assert list(await store.register(intents)) == [KNOWN, KNOWN]


@pytest.mark.parametrize("cuts", [[Cut.BEFORE], [Cut.ANSWER], [Cut.ANSWER, Cut.BEFORE, Cut.ANSWER]])
@pytest.mark.parametrize("verdict", [EXHAUSTED, RETRY, Delivered()], ids=["dead", "retry", "done"])
async def test_an_outcome_whose_commits_answer_is_lost_is_still_ours(
    sql_world: SqlWorld, cuts: list[Cut], verdict: Verdict
) -> None:
    """The next try finds it as it left it: it was applied, and no other worker fenced it out."""
    database, facts = failing(sql_world, *cuts), list[Fact]()
    ledger = SqlLedger(database, sql_world.vault, facts.append, sleep=at_once)
    name = await registered(sql_world.worker, lease="mine")
    assert not await ledger.commit([attempted(name, "mine", verdict)])
    assert not database.cuts
    assert len(await sql_world.timeline(name)) == 1


async def test_an_outcome_that_was_fenced_out_stays_so_after_a_lost_answer(
    sql_world: SqlWorld,
) -> None:
    """A further try does not take the row for its own because it finds it as it was."""
    name = await registered(sql_world.worker, lease="theirs")
    ledger = SqlLedger(
        failing(sql_world, Cut.ANSWER), sql_world.vault, list[Fact]().append, sleep=at_once
    )
    stale = attempted(name, "mine", EXHAUSTED)
    assert list(await ledger.commit([stale])) == [stale]


async def test_a_retry_renews_the_lease(sql_world: SqlWorld) -> None:
    """The lease counts from the commit whose answer came, not from the one that was lost."""
    one = event()
    delivery = planned(one, "luma", lease="mine")

    async def ages(_seconds: float) -> None:
        await sql_world.pass_time(30)

    store = SqlEventStore(failing(sql_world, Cut.ANSWER, Cut.BEFORE), sql_world.seals, sleep=ages)
    assert list(await store.register([intent(one, delivery)])) == [NEW]
    await sql_world.pass_time(40)
    assert await due(sql_world.worker) == []


async def test_an_outage_beyond_our_patience_is_reported(sql_world: SqlWorld) -> None:
    """The event goes back to the broker then; nothing is known to be written."""
    database = failing(sql_world, *[Cut.BEFORE] * 1_000)
    store = SqlEventStore(database, sql_world.seals, retry_for_s=0.05)
    with pytest.raises(StoreUnreachable, match=r"0\.05 s"):
        await store.register([intent(event())])
    assert 1 <= 1_000 - len(database.cuts) < 10


@pytest.mark.parametrize("cuts", [[Cut.BEFORE], [Cut.ANSWER, Cut.BEFORE]])
async def test_a_commit_outlasts_an_outage_and_counts_once(
    sql_world: SqlWorld, cuts: list[Cut]
) -> None:
    """The outage is told once at its start and once at its end, whatever the number of tries."""
    name = await registered(sql_world.worker, lease="mine")
    facts: list[Fact] = []
    ledger = SqlLedger(failing(sql_world, *cuts), sql_world.vault, facts.append, sleep=at_once)
    await ledger.commit([attempted(name, "mine", RETRY)])
    reachable = [fact.reachable for fact in facts if isinstance(fact, DependencyChanged)]
    assert reachable == [False, True]
    row = await sql_world.row(name)
    assert (row.attempts, row.step) == (1, 1)
    assert len(await sql_world.timeline(name)) == 1


async def test_a_commit_waits_for_postgres_to_come_back(
    own_world: SqlWorld, own_postgres: PrivatePostgres
) -> None:
    """Killed under a worker and started again: the same worker goes on, nothing is lost."""
    name = await registered(own_world.worker, lease="mine")
    await own_world.worker.ledger.commit([Barrier()])  # an intent is safe from the next flush on
    await own_postgres.crash()
    waits: list[float] = []

    async def comes_back(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            await own_postgres.restart()

    ledger = SqlLedger(
        own_world.database, own_world.vault, own_world.facts.append, sleep=comes_back
    )
    store = SqlEventStore(own_world.database, own_world.seals, sleep=comes_back)
    with pytest.raises(StoreUnreachable):
        await own_world.worker.due.due_platforms(["luma"])
    await ledger.commit([attempted(name, "mine", Delivered())])
    assert (await own_world.row(name)).state == "delivered"
    assert list(await store.register([intent(event())])) == [NEW]
    assert waits == sorted(waits)
    first, last = own_world.facts
    assert isinstance(first, DependencyChanged)
    assert isinstance(last, DependencyChanged)
    assert (first.reachable, last.reachable) == (False, True)
    assert "fanout" not in first.detail  # neither user nor password of the URL


async def test_a_barrier_alone_writes_so_that_something_is_flushed(sql_world: SqlWorld) -> None:
    """An ack relies on a flush; a batch with a write of its own needs no other."""
    flushes = select(installation.c.flushes)

    async def count() -> int:
        async with sql_world.database.read() as connection:
            return int((await connection.execute(flushes)).scalar_one())

    name = await registered(sql_world.worker, lease="mine")
    await sql_world.worker.ledger.commit([Barrier(), Barrier()])
    assert await count() == 1
    delivered = attempted(name, "mine", Delivered())
    await sql_world.worker.ledger.commit([Barrier(), delivered])
    assert await count() == 1
    await sql_world.worker.ledger.commit([delivered])  # changes nothing any more
    assert await count() == 2


async def test_at_the_start_on_sqlite_all_leases_are_a_dead_workers(sql_world: SqlWorld) -> None:
    """One run at a time: what it finds leased is due at once, and counts as interrupted."""
    name = await registered(sql_world.worker, lease="dead worker's")
    assert await SqlDueStore(sql_world.database, sql_world.seals).release_all_leases() == 1
    (claim,) = await sql_world.worker.due.claim(
        "luma", limit=5, lease_s=45, holding=(), reclaim=True
    )
    assert (claim.delivery.id, claim.interrupted) == (name, True)


async def test_no_address_is_in_an_errors_text(sql_world: SqlWorld) -> None:
    """Neither in what is logged nor in the traceback: drivers like to quote rows."""
    row = {"email": "alice@example.com", "platform_id": None, "linked_at": 1}
    with pytest.raises(DataRefused) as caught:
        async with sql_world.database.record() as connection:
            await connection.execute(insert(links).values(row))
    told = "".join(traceback.format_exception(caught.value))
    assert "platform_id" in told
    assert "alice" not in told


async def test_no_address_is_in_the_file(sql_world: SqlWorld) -> None:
    """Of events only sealed bytes and keyed hashes are stored."""
    await sql_world.worker.events.register([intent(event(email="alice@example.com"))])
    async with sql_world.database.read() as connection:
        (row,) = (await connection.execute(select(events))).all()
    assert "alice" not in repr(tuple(row))
    assert "105942374304" not in repr(tuple(row))
    assert len(row.user_hash) == 16
