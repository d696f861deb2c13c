"""What real databases refuse, and what is made of it: an outage, or one row's own fault."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import func, select, text
from tests.harness.store.examples import RETRY, attempted, event, intent, planned, registered
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.deliveries.ledger import SqlLedger
from disconnect_fanout.adapters.store.events.store import SqlEventStore
from disconnect_fanout.adapters.store.schema.tables import attempts, deliveries, events
from disconnect_fanout.flow.fact import DependencyChanged, Fact, OutcomeUnrecorded
from disconnect_fanout.flow.intent import Registration
from disconnect_fanout.flow.outage import DataRefused, StoreRefuses, StoreUnreachable
from disconnect_fanout.policy.change import Barrier
from disconnect_fanout.policy.decide import Delivered

_FUNCTION = (
    "CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'no: alice@example.com' {using}; END $$"
)
_TRIGGER = "CREATE TRIGGER no BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuses()"
_OF_POSTGRES = {
    "a trigger raises": [_FUNCTION.format(using=""), _TRIGGER.format(table="events")],
    "a trigger raises with the code of a constraint": [
        _FUNCTION.format(using="USING ERRCODE = '23514'"),
        _TRIGGER.format(table="events"),
    ],
    "a trigger on deliveries": [_FUNCTION.format(using=""), _TRIGGER.format(table="deliveries")],
    "a trigger on attempts": [_FUNCTION.format(using=""), _TRIGGER.format(table="attempts")],
    "a constraint that nothing meets": [
        "ALTER TABLE events ADD CONSTRAINT no CHECK (recipients < 0) NOT VALID"
    ],
    "a column that must be there": ["ALTER TABLE deliveries ADD extra TEXT NOT NULL"],
    "a table is away": ["ALTER TABLE deliveries RENAME TO gone"],
    "a column is away": ["ALTER TABLE events RENAME COLUMN sealed TO gone"],
    "links are away": ["ALTER TABLE links RENAME TO gone"],
}
_OF_SQLITE = {
    "a trigger raises": [
        "CREATE TRIGGER no BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END"
    ],
    "a trigger on attempts": [
        "CREATE TRIGGER no BEFORE INSERT ON attempts BEGIN SELECT RAISE(ABORT, 'no'); END"
    ],
    "a table is away": ["ALTER TABLE deliveries RENAME TO gone"],
    "a column is away": ["ALTER TABLE events RENAME COLUMN sealed TO gone"],
}


async def at_once(_seconds: float) -> None:
    """Wait for nothing between two tries."""
    await asyncio.sleep(0)


async def _run(database: Database, statements: Sequence[str]) -> None:
    async with database.record() as connection:
        for one in statements:
            await connection.execute(text(one))


def _kinds(world: SqlWorld) -> dict[str, list[str]]:
    return _OF_SQLITE if world.database.sqlite else _OF_POSTGRES


@pytest.mark.parametrize("kind", sorted(_OF_POSTGRES))
async def test_what_refuses_everything_is_an_outage(sql_world: SqlWorld, kind: str) -> None:
    """The probe says so in the database's words, whatever the code; no address is in them."""
    if kind not in _kinds(sql_world):
        return  # nothing to claim: this database has no such thing
    store = SqlEventStore(sql_world.database, sql_world.seals, retry_for_s=0.2)
    await store.probe()
    await _run(sql_world.database, _kinds(sql_world)[kind])
    with pytest.raises(StoreRefuses) as caught:
        await store.probe()
    assert "alice" not in str(caught.value)
    assert "takes no event" in (sql_world.database.health.problem or "")
    if "links" not in kind and "attempts" not in kind:
        with pytest.raises((StoreUnreachable, DataRefused)):
            await store.register([intent(one := event(), planned(one, "luma"))])


async def test_a_probe_leaves_nothing_behind(sql_world: SqlWorld) -> None:
    """It is tried often; no event, no delivery, no attempt is there afterwards."""
    store = SqlEventStore(sql_world.database, sql_world.seals)
    for _ in range(3):
        await store.probe()
    async with sql_world.database.read() as connection:
        for table in (events, deliveries, attempts):
            count = select(func.count()).select_from(table)
            assert (await connection.execute(count)).scalar_one() == 0


async def test_a_locked_table_is_an_outage_within_seconds_and_over_at_once(
    sql_world: SqlWorld,
) -> None:
    """PostgreSQL: whoever holds events, deliveries or attempts holds them all, without a hang."""
    if sql_world.database.sqlite:
        return  # nothing to claim: a lock is on the whole file there
    store = SqlEventStore(sql_world.database, sql_world.seals)
    owner = await asyncpg.connect(sql_world.url.replace("+asyncpg", ""))  # no session of ours
    for table in ("events", "deliveries", "attempts"):
        async with owner.transaction(), asyncio.timeout(20):
            await owner.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(StoreUnreachable):
                await store.probe()
        await store.probe()
    await owner.close()


async def test_one_guilty_outcome_is_set_aside_and_its_neighbours_are_committed(
    sql_world: SqlWorld,
) -> None:
    """A constraint refuses what one platform answered: recorded without it, nothing is lost."""
    facts: list[Fact] = []
    ledger = _ledger(sql_world, facts)
    good, bad = [await registered(sql_world.worker, lease="mine") for _ in range(2)]
    await _refuse_attempts(sql_world, "NEW.answer LIKE '%poison%'")
    change = attempted(bad, "mine", RETRY)
    change = replace(change, attempt=replace(change.attempt, answer="poison"))
    await ledger.commit([change, attempted(good, "mine", Delivered()), Barrier()])
    assert (await sql_world.row(good)).state == "delivered"
    assert (await sql_world.row(bad)).attempts == 1
    assert not [one for one in facts if isinstance(one, OutcomeUnrecorded)]


async def test_an_outcome_that_can_never_be_recorded_is_told_loudly(sql_world: SqlWorld) -> None:
    """It is counted and logged with its id; the ledger goes on, and its neighbours are on disk."""
    facts: list[Fact] = []
    ledger = _ledger(sql_world, facts)
    good, bad = [await registered(sql_world.worker, lease="mine") for _ in range(2)]
    await _refuse_attempts(sql_world, f"NEW.delivery_id = '{bad}'")
    await ledger.commit([attempted(bad, "mine", RETRY), attempted(good, "mine", Delivered())])
    (told,) = [one for one in facts if isinstance(one, OutcomeUnrecorded)]
    assert told.delivery_id == bad
    assert (await sql_world.row(good)).state == "delivered"


async def test_a_refusal_of_all_outcomes_is_waited_out(sql_world: SqlWorld) -> None:
    """With the code of a constraint or not: nothing is set aside, all is recorded afterwards."""
    facts: list[Fact] = []
    name = await registered(sql_world.worker, lease="mine")
    await _refuse_attempts(sql_world, "1 = 1")
    tries = 0

    async def heals(_seconds: float) -> None:
        nonlocal tries
        tries += 1
        if tries == 4:
            await _run(sql_world.database, ["DROP TRIGGER no" + _on_attempts(sql_world)])

    store = SqlEventStore(sql_world.database, sql_world.seals)
    ledger = SqlLedger(
        sql_world.database, sql_world.vault, facts.append, sleep=heals, probe=store.probe
    )
    await ledger.commit([attempted(name, "mine", Delivered())])
    assert (await sql_world.row(name)).state == "delivered"
    assert [one.reachable for one in facts if isinstance(one, DependencyChanged)] == [False, True]


async def test_an_event_is_new_after_a_refusal(sql_world: SqlWorld) -> None:
    """What was refused was not written: the next try owns it."""
    store = SqlEventStore(sql_world.database, sql_world.seals, sleep=at_once, retry_for_s=0.5)
    one = event()
    await _run(sql_world.database, ["ALTER TABLE deliveries RENAME TO gone"])
    with pytest.raises(StoreUnreachable):
        await store.register([intent(one, planned(one, "luma", lease="mine"))])
    await _run(sql_world.database, ["ALTER TABLE gone RENAME TO deliveries"])
    found = await store.register([intent(one, planned(one, "luma", lease="mine"))])
    assert list(found) == [Registration.NEW]


def _ledger(world: SqlWorld, facts: list[Fact]) -> SqlLedger:
    store = SqlEventStore(world.database, world.seals)
    return SqlLedger(world.database, world.vault, facts.append, sleep=at_once, probe=store.probe)


def _on_attempts(world: SqlWorld) -> str:
    return "" if world.database.sqlite else " ON attempts"


async def _refuse_attempts(world: SqlWorld, when: str) -> None:
    """Refuse attempts with the code of a constraint."""
    if world.database.sqlite:
        trigger = f"CREATE TRIGGER no BEFORE INSERT ON attempts WHEN {when} "
        await _run(world.database, [trigger + "BEGIN SELECT RAISE(ABORT, 'no'); END"])
        return
    trigger = _TRIGGER.format(table="attempts").replace("EXECUTE", f"WHEN ({when}) EXECUTE")
    await _run(world.database, [_FUNCTION.format(using="USING ERRCODE = '23514'"), trigger])
