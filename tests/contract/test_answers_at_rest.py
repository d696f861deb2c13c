"""Answers at rest: sealed, and read the same before, while and after old ones are sealed."""

from typing import Any

from sqlalchemy import insert, select, text, update
from tests.harness.store.examples import RETRY, attempted, event, intent, planned, registered
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.crypto.vault import Vault, new_key
from disconnect_fanout.adapters.store.deliveries.history import DeliveryHistory
from disconnect_fanout.adapters.store.deliveries.plaintext_answers import PlaintextAnswers
from disconnect_fanout.adapters.store.privacy.forgetting import Forgetting
from disconnect_fanout.adapters.store.schema.tables import attempts
from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.outcome import Result
from disconnect_fanout.policy.change import Attempted
from disconnect_fanout.policy.decide import Delivered

ALICE = "alice@example.com"
ECHO = f'{{"user_email":"{ALICE}","google_id":"105942374304"}}'


async def told(world: SqlWorld, answer: str) -> str:
    """One delivery, accepted with this answer; return its id."""
    one = event(email=ALICE, google_id="105942374304")
    delivery = planned(one, "luma", lease="mine")
    await world.worker.events.register([intent(one, delivery)])
    await world.worker.ledger.commit([attempted(delivery.id, "mine", Delivered(), answer=answer)])
    return delivery.id


async def as_an_old_worker(world: SqlWorld, name: str, number: int, answer: str) -> None:
    """Write an attempt as a version before this one does: in clear, knowing nothing of seals."""
    row = {
        "delivery_id": name, "number": number, "at": 0, "result": "refused", "status": 500,
        "duration_ms": 1, "answer": answer, "replay": False,
    }  # fmt: skip
    async with world.database.record() as connection:
        await connection.execute(insert(attempts), row)


async def stored(world: SqlWorld) -> list[Any]:
    order = (attempts.c.delivery_id, attempts.c.number)
    async with world.database.read() as connection:
        return list(await connection.execute(select(attempts).order_by(*order)))


async def shown(world: SqlWorld, name: str, vault: Vault | None = None) -> list[str | None]:
    story = await DeliveryHistory(world.database, vault or world.vault).delivery(name)
    return [one.answer for one in story.timeline]


async def test_an_answer_is_not_stored_in_clear(sql_world: SqlWorld) -> None:
    """Whatever a platform repeats, and however it failed; an empty one costs no seal."""
    name = await told(sql_world, ECHO)
    empty = await told(sql_world, "")
    words = f"TLS: {ALICE}"
    failed = await registered(sql_world.worker, lease="mine")
    attempt = Attempt(1, event().timestamp, Result.TLS_FAILED, None, 1, words)
    await sql_world.worker.ledger.commit([Attempted(failed, "luma", "mine", attempt, RETRY, 1)])
    rows = await stored(sql_world)
    assert [row.answer for row in rows] == ["", "", ""]
    assert sum(row.sealed is None for row in rows) == 1
    assert ALICE not in repr(rows)
    assert await shown(sql_world, name) == [ECHO]
    assert await shown(sql_world, empty) == [""]
    assert await shown(sql_world, failed) == [words]
    assert ALICE not in str((await sql_world.row(failed)).last_error)


async def test_old_answers_read_the_same_before_and_after_they_are_sealed(
    sql_world: SqlWorld,
) -> None:
    """In batches, each once, beside new ones and beside a worker that still writes clear ones."""
    name = await told(sql_world, "new")
    for number in range(2, 1102):
        await as_an_old_worker(sql_world, name, number, f"{number} {ECHO}")
    before = await shown(sql_world, name)
    job = PlaintextAnswers(sql_world.open(), sql_world.vault)
    assert await job.do_some() == 500
    assert await shown(sql_world, name) == before
    await as_an_old_worker(sql_world, name, 1102, ECHO)
    assert [await job.do_some() for _ in range(3)] == [500, 101, 0]
    assert await shown(sql_world, name) == [*before, ECHO]
    assert ALICE not in repr(await stored(sql_world))


async def test_what_an_old_worker_reports_late_is_read(sql_world: SqlWorld) -> None:
    """It overwrites in clear what was noted as interrupted, and that is what is shown."""
    name = await registered(sql_world.worker, lease="a dead worker's")
    await sql_world.pass_time(60)
    person = Forgetting(sql_world.database, sql_world.seals, "alice@example.com")
    await person.discard()
    ours = await shown(sql_world, name)
    assert "its worker ended" in str(ours)
    assert await PlaintextAnswers(sql_world.database, sql_world.vault).do_some() == 0
    async with sql_world.database.record() as connection:
        late = update(attempts).where(attempts.c.delivery_id == name)
        await connection.execute(late.values(answer=ECHO, result="delivered", status=200))
    assert await shown(sql_world, name) == [ECHO]
    assert await PlaintextAnswers(sql_world.database, sql_world.vault).do_some() == 1
    assert await shown(sql_world, name) == [ECHO]


async def test_an_answer_that_nothing_opens_is_null(sql_world: SqlWorld) -> None:
    """The rest of the story is told."""
    name = await told(sql_world, ECHO)
    assert await shown(sql_world, name, Vault([new_key()])) == [None]
    async with sql_world.database.record() as connection:
        await connection.execute(update(attempts).values(sealed=b"no token"))
    assert await shown(sql_world, name) == [None]


async def test_the_look_for_clear_answers_reads_none_that_is_sealed(sql_world: SqlWorld) -> None:
    """An index holds those alone: with many sealed ones the look is as short as with none."""
    sealed = {
        "number": 1, "at": 0, "result": "refused", "status": 500, "duration_ms": 1, "answer": "",
        "replay": False, "sealed": sql_world.vault.seal(b"no"),
    }  # fmt: skip
    many = [{"delivery_id": f"wh_del_{number}", **sealed} for number in range(5000)]
    async with sql_world.database.record() as connection:
        await connection.execute(insert(attempts), many)
        await connection.execute(text("ANALYZE attempts"))
    plan = "EXPLAIN QUERY PLAN" if sql_world.database.sqlite else "EXPLAIN"
    query = (
        f"{plan} SELECT delivery_id, number, answer FROM attempts "  # noqa: S608 - ours
        "WHERE answer <> '' AND result <> 'interrupted' ORDER BY delivery_id, number LIMIT 500"
    )
    async with sql_world.database.read() as connection:
        rows = await connection.execute(text(query))
        assert "ix_attempts_clear" in repr(list(rows))
