"""One bad row of any other table harms only itself: it is set aside alone, and said."""

from typing import Any

import pytest
from sqlalchemy import func, select, update
from tests.harness.store.examples import attempted, due, event, intent, registered
from tests.harness.store.poison import CLEAR, said, spoil_event
from tests.harness.store.row_rules import insert_row, lift_rules
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.crypto.vault import new_key
from disconnect_fanout.adapters.store.events.recorded import RecordedEvents
from disconnect_fanout.adapters.store.http_api.api_keys import SqlApiKeys
from disconnect_fanout.adapters.store.http_api.outbox import SqlOutbox
from disconnect_fanout.adapters.store.http_api.token_digest import token_digest
from disconnect_fanout.adapters.store.inspection.bad_rows import survey
from disconnect_fanout.adapters.store.links.plaintext import PlaintextLinks
from disconnect_fanout.adapters.store.platforms.registry import PlatformRegistry
from disconnect_fanout.adapters.store.privacy.forgetting import Forgetting
from disconnect_fanout.adapters.store.replays.selection import ReplaySelector
from disconnect_fanout.adapters.store.rows.delivery_filter import DeliveryFilter
from disconnect_fanout.adapters.store.schema import tables
from disconnect_fanout.adapters.store.schema.api_tables import api_keys, outbox
from disconnect_fanout.domain.bad_row import RowKind
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.policy.change import GivenUp
from disconnect_fanout.policy.decide import Delivered

ALICE = "alice@example.com"


PLATFORMS: list[tuple[dict[str, Any], str]] = [
    ({"scheme": "hmac-sha3"}, "scheme"),
    ({"timeout_s": -1.0}, "timeout_s"),
    ({"timeout_s": float("inf")}, "timeout_s"),
    ({"rate_per_s": 0.0}, "rate_per_s"),
    ({"rate_per_s": -2.0}, "rate_per_s"),
    ({"max_in_flight": -1}, "max_in_flight"),
    ({"url": "nonsense"}, "url"),
    ({"url": "https://[::1"}, "url"),
    ({"url": "ftp://example.com/hook"}, "url"),
    ({"authority": "no PEM"}, "authority"),
]


@pytest.mark.parametrize(("changed", "column"), PLATFORMS, ids=str)
async def test_a_platform_that_can_t_be_asked_is_known_and_has_no_keys(
    sql_world: SqlWorld, changed: dict[str, Any], column: str
) -> None:
    """So its deliveries wait instead of dying, and the others are asked; lists show it."""
    await lift_rules(sql_world)
    await sql_world.insert_platform("cal")
    await sql_world.insert_platform("luma", **changed)
    rows = said(sql_world)
    cal, luma = await sql_world.worker.platforms.platforms()
    assert (len(cal.keys), cal.flaw) == (1, None)
    assert (luma.keys, luma.enabled) == ((), True)
    assert (luma.flaw or "").startswith(f"{column}: ")
    assert [(one.table, one.id) for one in rows] == [(RowKind.PLATFORMS, "luma")]
    shown = await PlatformRegistry(sql_world.database, sql_world.vault).all()
    assert [one.id for one in shown] == ["cal", "luma"]


async def test_an_event_of_a_newer_version_waits_and_holds_up_nobody(sql_world: SqlWorld) -> None:
    """Its delivery is looked at again after a minute; nothing is claimed, no attempt is made."""
    await sql_world.add_platform("luma")
    bad, good = [await registered(sql_world.worker) for _ in range(2)]
    await spoil_event(sql_world, (await sql_world.row(bad)).event_id)
    rows = said(sql_world)
    assert await due(sql_world.worker) == [good]
    assert await due(sql_world.worker) == []
    row = await sql_world.row(bad)
    assert (row.state, row.attempts, row.lease) == ("pending", 0, None)
    await sql_world.pass_time(61)
    assert bad not in await due(sql_world.worker)
    assert [one.table for one in rows] == [RowKind.EVENTS]


async def test_a_state_of_a_newer_version_is_left_alone(sql_world: SqlWorld) -> None:
    """Whoever knows it deals with the row; the neighbour behind it is claimed, and check says it.

    The same goes for a text where SQLite should have a count.
    """
    await sql_world.add_platform("luma")
    odd: list[dict[str, Any]] = [{"state": "quarantined"}]
    if sql_world.database.sqlite:
        odd += [{one: "x"} for one in ("attempts", "step", "replays", "born_at")]
    bad = [await registered(sql_world.worker) for _ in odd]
    good = await registered(sql_world.worker)
    async with sql_world.database.record() as connection:
        for name, changed in zip(bad, odd, strict=True):
            mine = update(tables.deliveries).where(tables.deliveries.c.id == name)
            await connection.execute(mine.values(**changed))
    assert await due(sql_world.worker) == [good]
    found = {one.id: one.what for one in await survey(sql_world.database)}
    assert found.keys() == set(bad)
    assert [found[one].split(":")[0] for one in bad] == [next(iter(one)) for one in odd]


ROWS: list[tuple[dict[str, Any], bool]] = [
    ({"reason": "superseded"}, False),
    ({"platform_id": "plat luma"}, False),
    ({"last_status": 7}, True),
    ({"first_failed_at": 2**62}, True),
    ({"last_result": "a" * 16}, True),
]


@pytest.mark.parametrize(("changed", "written"), ROWS, ids=str)
async def test_a_dead_letter_that_can_t_be_written_holds_up_no_other(
    sql_world: SqlWorld, changed: dict[str, Any], *, written: bool
) -> None:
    """What only describes it is left out; a reason or a name that is none sets it aside."""
    await sql_world.add_platform("luma")
    bad, good = [await registered(sql_world.worker, lease="mine") for _ in range(2)]
    gone = [GivenUp(one, "mine", DeadReason.EXPIRED) for one in (bad, good)]
    await sql_world.worker.ledger.commit(gone)
    await sql_world.pass_time(60)
    async with sql_world.database.record() as connection:
        mine = update(tables.deliveries).where(tables.deliveries.c.id == bad)
        await connection.execute(mine.values(decided_at=1, **changed))
    rows = said(sql_world)
    found = await sql_world.worker.letters.overdue(5, 1)
    assert [one.delivery_id for one in found] == [bad if written else good]
    assert [one.table for one in rows] == ([] if written else [RowKind.DELIVERIES])


async def test_a_replay_without_a_rate_that_is_one_holds_up_no_other(sql_world: SqlWorld) -> None:
    """The pacer goes on to the next job."""
    job: dict[str, Any] = {
        "state": "running",
        "selected": 0,
        "reconnected": 0,
        "slot_at": 0,
        "created_at": 0,
    }
    await insert_row(sql_world, tables.replays, job | {"id": "bad", "rate_per_s": 0.0})
    await insert_row(sql_world, tables.replays, job | {"id": "good", "rate_per_s": 5.0})
    rows = said(sql_world)
    await sql_world.worker.replays.advance(1.0)
    async with sql_world.database.read() as connection:
        states = {row.id: row.state for row in await connection.execute(select(tables.replays))}
    assert states == {"bad": "running", "good": "done"}
    assert [(one.table, one.id) for one in rows] == [(RowKind.REPLAYS, "bad")]


async def test_a_key_of_a_newer_kind_lets_nobody_in(sql_world: SqlWorld) -> None:
    """It is listed as it is."""
    row: dict[str, Any] = {"id": "key_1", "kind": "partner", "scopes": "", "created_at": 0}
    await insert_row(sql_world, api_keys, row | {"digest": token_digest("x")})
    ring = SqlApiKeys(sql_world.database)
    assert await ring.find("x") is None
    assert [one.kind for one in await ring.all()] == ["partner"]


async def test_a_promise_that_can_t_be_read_is_set_aside_and_the_others_go(
    sql_world: SqlWorld,
) -> None:
    """Also behind more of them than are taken at once; it is tried again an hour later."""
    box = SqlOutbox(sql_world.database, sql_world.seals)
    newer = sql_world.vault.seal(b'{"provider":"proton"}')
    row: dict[str, Any] = {"event_id": "evt_x", "user_hash": "", "created_at": 0, "taken_until": 0}
    for number in range(-8, -1):
        await insert_row(sql_world, outbox, row | {"number": number, "sealed": newer})
    foreign = {"number": -1, "sealed": new_key().encode()}  # opened by none of our keys
    await insert_row(sql_world, outbox, row | foreign)
    one = event()
    async with sql_world.database.record() as connection:
        await box.put(connection, [one])
    rows = said(sql_world)
    assert [promise.event for promise in await box.take(3, 1.0)] == [one]
    assert sorted((one.id for one in rows), key=int) == [str(number) for number in range(-8, 0)]
    assert await box.take(3, 1.0) == ()
    async with sql_world.database.read() as connection:
        marked = select(func.count()).where(outbox.c.problem.is_not(None))
        assert (await connection.execute(marked)).scalar_one() == 8


async def test_whoever_is_forgotten_is_forgotten_from_bad_rows_too(sql_world: SqlWorld) -> None:
    """A link that counts for nobody and an event that nobody can read still hold an address."""
    await lift_rules(sql_world)
    await insert_row(sql_world, tables.links, CLEAR | {"provider": "yahoo"})
    await insert_row(sql_world, tables.links, CLEAR | {"provider": "yahoo", "platform_id": ""})
    await PlaintextLinks(sql_world.database, sql_world.seals).do_some()
    one = event(email=ALICE)
    await sql_world.worker.events.register([intent(one)])
    await spoil_event(sql_world, one.id)
    history = Forgetting(sql_world.database, sql_world.seals, ALICE)
    assert (await history.found()).links == 2
    await history.remove()
    async with sql_world.database.read() as connection:
        assert (await connection.execute(select(tables.links))).all() == []
        (left,) = (await connection.execute(select(tables.events))).all()
    assert (left.user_hash, left.sealed) == (None, b"")


@pytest.mark.parametrize("by", ["user", "selection"])
async def test_an_event_of_a_newer_version_hides_no_other_from_operators(
    sql_world: SqlWorld, by: str
) -> None:
    """``explain --user`` shows the others, and a replay is made of all that were selected."""
    await sql_world.add_platform("luma")
    bad, good = [await registered(sql_world.worker, lease="mine") for _ in range(2)]
    names = [(await sql_world.row(one)).event_id for one in (bad, good)]
    await spoil_event(sql_world, names[0])
    if by == "user":
        recorded = RecordedEvents(sql_world.database, sql_world.seals)
        found = [*await recorded.of_user(event().user.mailbox, 10)]
        assert [one.id for one in found] == names[1:]
    else:
        done = [attempted(one, "mine", Delivered()) for one in (bad, good)]
        await sql_world.worker.ledger.commit(done)
        selector = ReplaySelector(sql_world.database, sql_world.seals)
        chosen = DeliveryFilter(states=(DeliveryState.DELIVERED,))
        selection = await selector.select(chosen, limit=None, include_reconnected=False)
        assert sorted(selection.ids) == sorted([bad, good])


async def test_a_time_far_ahead_keeps_nobody_from_a_promise_or_a_duty(sql_world: SqlWorld) -> None:
    """The database's clock may have gone back since: what nobody can hold for so long is free."""
    box = SqlOutbox(sql_world.database, sql_world.seals)
    async with sql_world.database.record() as connection:
        await box.put(connection, [event()])
        await connection.execute(update(outbox).values(taken_until=2**62))
    assert len(await box.take(3, 1.0)) == 1
    assert await sql_world.worker.leader_lease.hold("sweep", "gone", 60)
    async with sql_world.database.record() as connection:
        await connection.execute(update(tables.duties).values(until=2**62))
    assert await sql_world.worker.leader_lease.hold("sweep", "here", 60)
    assert not await sql_world.worker.leader_lease.hold("sweep", "gone", 60)
