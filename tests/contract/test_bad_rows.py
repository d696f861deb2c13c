"""One bad row harms only itself: it is read where it means one thing, else set aside alone."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select, text, update
from tests.harness.row_rules import insert_row, lift_rules
from tests.harness.sql_world import SqlWorld
from tests.harness.store_examples import claimed, due, event, link, registered

from disconnect_fanout.adapters.crypto.vault import Vault, new_key
from disconnect_fanout.adapters.store import tables
from disconnect_fanout.adapters.store.api_tables import api_keys, outbox
from disconnect_fanout.adapters.store.clear_links import ClearLinks
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.driver_error import StatementRefused
from disconnect_fanout.adapters.store.key_ring import SqlKeyRing
from disconnect_fanout.adapters.store.link_candidates import find_links
from disconnect_fanout.adapters.store.outbox import SqlOutbox
from disconnect_fanout.adapters.store.platform_registry import PlatformRegistry
from disconnect_fanout.adapters.store.schema import _head, migrate
from disconnect_fanout.adapters.store.sealed_event import load_seals
from disconnect_fanout.adapters.store.token_digest import token_digest
from disconnect_fanout.domain.bad_row import BadRow, RowKind
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.change import GivenUp
from disconnect_fanout.flow.fact import RowSetAside

ALICE, BOB = "alice@example.com", "bob@example.com"
NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)
NEW_YEAR_S = int(NEW_YEAR.timestamp())
CLEAR: dict[str, Any] = {
    "email": ALICE,
    "google_id": None,
    "provider": None,
    "platform_id": "luma",
    "linked_at": NEW_YEAR_S,
    "unlinked_at": None,
}
MEANT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"provider": "Google"}, {"provider": Provider.GOOGLE}),
    ({"provider": " APPLE "}, {"provider": Provider.APPLE}),
    ({"provider": ""}, {"provider": None}),
    ({"linked_at": NEW_YEAR_S * 1000}, {}),
    ({"linked_at": NEW_YEAR_S * 1_000_000}, {}),
    ({"unlinked_at": NEW_YEAR_S * 1000}, {"unlinked_at": NEW_YEAR}),
    ({"platform_id": " luma "}, {}),
    ({"google_id": "12 34"}, {}),
    ({"google_id": "1.05942E+11"}, {}),
    ({"linked_at": -5}, {"linked_at": datetime(1969, 12, 31, 23, 59, 55, tzinfo=UTC)}),
]
MEANINGLESS: list[dict[str, Any]] = [
    {"provider": "yahoo"},
    {"linked_at": -(10**15)},
    {"unlinked_at": -(2**62)},
    {"platform_id": "plat luma"},
    {"platform_id": ""},
]
REFUSED: list[dict[str, Any]] = [
    *MEANINGLESS,
    {"provider": "Google"},
    {"linked_at": NEW_YEAR_S * 1000},
    {"unlinked_at": NEW_YEAR_S * 1000},
    {"google_id": "12 34"},
    {"email": "alice"},
    {"email": ""},
    {"email": f"{'a' * 320}@x"},
]


def said(world: SqlWorld) -> list[BadRow]:
    """Collect what is set aside from now on."""
    rows: list[BadRow] = []

    def hear(fact: object) -> None:
        if isinstance(fact, RowSetAside):
            rows.append(fact.row)

    for one in world.databases:
        one.set_aside.observe = hear
    return rows


async def links_of(world: SqlWorld, email: str = ALICE) -> list[Link]:
    (found,) = await find_links(world.database, world.seals, [event(email=email).user])
    return list(found.values())


@pytest.mark.parametrize(("changed", "read"), MEANT, ids=str)
async def test_a_link_that_can_mean_one_thing_only_means_that(
    sql_world: SqlWorld, changed: dict[str, Any], read: dict[str, Any]
) -> None:
    """A platform that is not told is the worst: before and after a worker has sealed the link."""
    await lift_rules(sql_world)
    await insert_row(sql_world, tables.links, CLEAR | changed)
    expected: dict[str, Any] = {"email": ALICE, "platform_id": "luma", "linked_at": NEW_YEAR} | read
    rows = said(sql_world)
    assert await links_of(sql_world) == [Link(**expected)]
    assert await ClearLinks(sql_world.database, sql_world.seals).do_some() == 1
    assert await links_of(sql_world) == [Link(**expected)]
    assert rows == []


@pytest.mark.parametrize("changed", MEANINGLESS, ids=str)
async def test_a_link_that_means_nothing_is_set_aside_alone(
    sql_world: SqlWorld, changed: dict[str, Any]
) -> None:
    """Its neighbours are found, it is said once, by its number; and sealed all the same."""
    await lift_rules(sql_world)
    await insert_row(sql_world, tables.links, CLEAR | changed)
    await sql_world.insert_clear_links(link(ALICE, "cal"), link(BOB, "luma"))
    rows = said(sql_world)
    for _ in range(2):
        assert [one.platform_id for one in await links_of(sql_world)] == ["cal"]
        assert len(await links_of(sql_world, BOB)) == 1
        assert [(one.table, one.id) for one in rows] == [(RowKind.LINKS, "1")]
        await ClearLinks(sql_world.database, sql_world.seals).do_some()
    assert ALICE not in repr(rows)


@pytest.mark.parametrize("changed", REFUSED, ids=str)
async def test_the_schema_refuses_a_bad_link(sql_world: SqlWorld, changed: dict[str, Any]) -> None:
    """By a name that says what is wrong; the same goes for a change of a good one."""
    good = CLEAR | {"email": BOB}
    await insert_row(sql_world, tables.links, good)
    with pytest.raises(StatementRefused, match=f"links.*{next(iter(changed))}"):
        await insert_row(sql_world, tables.links, CLEAR | changed)
    with pytest.raises(StatementRefused, match="links"):
        async with sql_world.database.record() as connection:
            await connection.execute(update(tables.links).values(**changed))
    assert len(await links_of(sql_world, BOB)) == 1


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


async def spoil_event(world: SqlWorld, event_id: str) -> None:
    """Seal what a newer version might have sealed."""
    newer = world.vault.seal(orjson.dumps({"id": event_id, "provider": "proton"}))
    mine = update(tables.events).where(tables.events.c.id == event_id)
    async with world.database.record() as connection:
        await connection.execute(mine.values(sealed=newer))


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
    """Whoever knows the state deals with the row; the neighbour behind it is claimed."""
    await sql_world.add_platform("luma")
    bad, good = [await registered(sql_world.worker) for _ in range(2)]
    async with sql_world.database.record() as connection:
        mine = update(tables.deliveries).where(tables.deliveries.c.id == bad)
        await connection.execute(mine.values(state="quarantined"))
    assert (await claimed(sql_world.worker)).id == good
    assert (await sql_world.row(bad)).state == "quarantined"


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
    ring = SqlKeyRing(sql_world.database)
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
        assert (await connection.execute(marked)).scalar_one() == 7


async def test_the_migration_puts_right_what_it_can_and_bears_the_rest(database_url: str) -> None:
    """A database of the last revision with bad rows in it: migrated, read, and still changeable."""
    vault = Vault([new_key()])
    await migrate(database_url, vault)
    database = Database(database_url)
    world = SqlWorld(database_url, vault, await load_seals(database, vault))
    await database.close()
    await lift_rules(world)
    seconds: dict[str, Any] = {"linked_at": NEW_YEAR_S, "unlinked_at": NEW_YEAR_S * 1000}
    await insert_row(world, tables.links, CLEAR | seconds | {"provider": " Google"})
    for one in MEANINGLESS:
        await insert_row(world, tables.links, CLEAR | one)
    await world.insert_platform("luma", timeout_s=0.0, rate_per_s=-1.0)
    async with world.database.record() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0009'"))
        await connection.execute(text("ALTER TABLE outbox DROP COLUMN problem"))
    assert await migrate(database_url, vault) == ("0009", _head())
    async with world.database.record() as connection:
        found = (await connection.execute(select(tables.links).order_by(tables.links.c.id))).all()
        assert (found[0].provider, found[0].linked_at) == ("google", NEW_YEAR_S)
        assert found[0].unlinked_at == NEW_YEAR_S
        await connection.execute(update(tables.platforms).values(enabled=False))
    assert len(found) == 1 + len(MEANINGLESS)
    assert await ClearLinks(world.database, world.seals).do_some() == len(found)
    with pytest.raises(StatementRefused, match="provider"):
        await insert_row(world, tables.links, CLEAR | {"provider": "yahoo"})
    await world.close()
