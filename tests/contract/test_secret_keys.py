"""Secret keys: one that lacks is an outage, and a row that none opens harms only itself."""

from typing import Any

import pytest
from sqlalchemy import insert, select, update
from tests.harness.store.examples import LEASE_S, due, event, intent, link, planned, registered
from tests.harness.store.poison import said
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.crypto.vault import Vault, new_key
from disconnect_fanout.adapters.store.deliveries.due import SqlDueStore
from disconnect_fanout.adapters.store.deliveries.unreadable_events import UnreadableEvents
from disconnect_fanout.adapters.store.events.recorded import RecordedEvents
from disconnect_fanout.adapters.store.events.store import SqlEventStore
from disconnect_fanout.adapters.store.http_api.credentials import CredentialBook
from disconnect_fanout.adapters.store.http_api.outbox import SqlOutbox
from disconnect_fanout.adapters.store.inspection.bad_rows import survey
from disconnect_fanout.adapters.store.links.book import LinkBook
from disconnect_fanout.adapters.store.links.candidates import find_links
from disconnect_fanout.adapters.store.links.plaintext import PlaintextLinks
from disconnect_fanout.adapters.store.privacy.forgetting import Forgetting
from disconnect_fanout.adapters.store.schema.api_tables import outbox
from disconnect_fanout.adapters.store.schema.tables import events, links
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.secret_keys import SecretKeys
from disconnect_fanout.adapters.store.seals.unreadable_rows import unreadable
from disconnect_fanout.domain.bad_row import RowKind
from disconnect_fanout.domain.event import User
from disconnect_fanout.flow.outage import SecretKeyMissing

DAMAGED = b"gAAAAA no token of anybody's"
ALICE = "alice@example.com"


async def damage(world: SqlWorld, event_id: str, sealed: bytes = DAMAGED) -> bytes:
    """Put something else in the place of a sealed event; return what was there."""
    mine = events.c.id == event_id
    async with world.database.record() as connection:
        before: bytes = (await connection.execute(select(events.c.sealed).where(mine))).scalar_one()
        await connection.execute(update(events).where(mine).values(sealed=sealed))
    return before


async def event_of(world: SqlWorld, delivery_id: str) -> str:
    return (await world.row(delivery_id)).event_id


async def rotated(world: SqlWorld) -> Seals:
    """Return the seals of a process that was started with a new key first, and has noted it."""
    vault = Vault([new_key()])
    await SecretKeys(world.database, vault).look()
    world.database.health.lacking_key = None  # this process is the world's again
    return Seals(vault, b"k" * 32)


async def test_a_new_database_knows_its_key(sql_world: SqlWorld) -> None:
    """``migrate`` notes the key that it seals with, and nothing lacks."""
    keys = SecretKeys(sql_world.database, sql_world.vault)
    assert [one.fingerprint for one in await keys.in_use()] == [*sql_world.vault.fingerprints]
    await keys.look()
    assert sql_world.database.health.problem is None


async def test_whoever_lacks_a_key_knows_which_and_claims_nothing(sql_world: SqlWorld) -> None:
    """Not ready, with the key's fingerprint and the safe order; rows stay as they were."""
    name = await registered(sql_world.worker)
    before = await sql_world.row(name)
    stranger = await rotated(sql_world)
    await damage(sql_world, before.event_id, stranger.seal_event(event()))
    with pytest.raises(SecretKeyMissing, match=f"{stranger.fingerprints[0]}.*OLD,NEW"):
        await due(sql_world.worker)
    assert stranger.fingerprints[0] in (sql_world.database.health.problem or "")
    after = await sql_world.row(name)
    assert (after.next_at, after.lease, after.attempts) == (before.next_at, None, 0)
    assert list(await sql_world.worker.due.due_platforms(["luma"])) == []
    assert await unreadable(sql_world.database) == []


async def test_it_goes_on_when_it_lacks_no_key_any_more(sql_world: SqlWorld) -> None:
    """Once the key is retired, or put in, the next look says so."""
    await sql_world.add_platform("luma")
    name = await registered(sql_world.worker)
    stranger = await rotated(sql_world)
    mine = SecretKeys(sql_world.database, sql_world.vault)
    await mine.look()
    assert sql_world.database.health.problem is not None
    assert await mine.retire(2**62) == [stranger.fingerprints[0]]
    await mine.look()
    assert sql_world.database.health.problem is None
    assert list(await sql_world.worker.due.due_platforms(["luma"])) == ["luma"]
    assert await due(sql_world.worker) == [name]


@pytest.mark.parametrize("sealed", [DAMAGED, b"", None], ids=["torn", "empty", "no event"])
async def test_an_event_that_nobody_can_open_is_set_aside_alone(
    sql_world: SqlWorld, sealed: bytes | None
) -> None:
    """Its neighbours are claimed; it is not claimed again, is told of once, and comes back."""
    rows = said(sql_world)
    store = SqlDueStore(sql_world.database, sql_world.seals)
    bad, good = await registered(sql_world.worker), await registered(sql_world.worker)
    bad_event = await event_of(sql_world, bad)
    rubbish = sql_world.seals.seal(b'{"id": 1}') if sealed is None else sealed
    whole = await damage(sql_world, bad_event, rubbish)
    for expected in ([good], []):
        claims = await store.claim("luma", limit=9, lease_s=LEASE_S, holding=(), reclaim=True)
        assert [one.delivery.id for one in claims] == expected
    assert [(one.table, one.id) for one in rows] == [(RowKind.EVENTS, bad_event)]
    assert sql_world.database.health.problem is None
    (counted,) = await unreadable(sql_world.database)
    assert (counted.of_table, counted.count, counted.example) == ("events", 1, bad_event)
    chore = UnreadableEvents(sql_world.database, sql_world.seals)
    assert await chore.do_some() == 0
    await damage(sql_world, bad_event, whole)
    assert await chore.do_some() == 1
    assert await due(sql_world.worker) == [bad]
    assert await unreadable(sql_world.database) == []


async def test_an_attempt_cut_off_is_counted_though_its_event_is_damaged(
    sql_world: SqlWorld,
) -> None:
    """The lease of a dead worker ends in an interrupted attempt, as everywhere."""
    name = await registered(sql_world.worker, lease="dead")
    await damage(sql_world, await event_of(sql_world, name))
    await sql_world.pass_time(LEASE_S + 1)
    assert await due(sql_world.worker) == []
    row = await sql_world.row(name)
    assert (row.attempts, row.lease, row.state) == (1, None, "pending")
    assert len(await sql_world.timeline(name)) == 1


async def test_a_promise_that_nobody_can_open_does_not_hold_up_the_others(
    sql_world: SqlWorld,
) -> None:
    """Damaged: its neighbours go out, once is told of it. A key that lacks: nothing is taken."""
    rows = said(sql_world)
    store = SqlOutbox(sql_world.database, sql_world.seals)
    first, second = event(), event()
    async with sql_world.database.record() as connection:
        await store.put(connection, [first, second])
        broken = update(outbox).where(outbox.c.event_id == first.id)
        await connection.execute(broken.values(sealed=DAMAGED))
    for expected in ([second.id], []):
        assert [one.event.id for one in await store.take(10, 60.0)] == expected
    assert [one.table for one in rows] == [RowKind.OUTBOX]
    assert [one.table for one in await survey(sql_world.database)] == [RowKind.OUTBOX]
    async with sql_world.database.read() as connection:
        numbers = (
            (await connection.execute(select(outbox.c.number).order_by(outbox.c.number)))
            .scalars()
            .all()
        )
    await store.kept(numbers[:1])  # somebody has mended it, and it was published
    assert await survey(sql_world.database) == []
    free = update(outbox).values(taken_until=0)
    async with sql_world.database.record() as connection:
        await connection.execute(free)
    stranger = await rotated(sql_world)
    async with sql_world.database.record() as connection:
        theirs = update(outbox).values(sealed=stranger.seal_event(second))
        await connection.execute(theirs)
    with pytest.raises(SecretKeyMissing):
        await store.take(10, 60.0)
    async with sql_world.database.read() as connection:
        assert set((await connection.execute(select(outbox.c.taken_until))).scalars()) == {0}


async def test_a_link_that_nobody_can_open_still_names_its_platform(sql_world: SqlWorld) -> None:
    """By its address, where no Google account contradicts; and by its Google account."""
    await sql_world.add_links(link(ALICE, "luma", "42"))
    async with sql_world.database.record() as connection:
        await connection.execute(update(links).values(sealed=DAMAGED))
    users = [User(ALICE, None), User(ALICE, "42"), User("x@y.example", "42"), User(ALICE, "7")]
    found = await find_links(sql_world.database, sql_world.seals, users)
    told = [[one.google_id for one in each.values()] for each in found]
    assert told[1] == told[2] == ["42"]
    assert told[0] != ["7"] != told[3]
    assert all(len(each) == 1 for each in found)


async def test_links_that_nobody_can_open_do_not_starve_those_behind(sql_world: SqlWorld) -> None:
    """The chore pages past a thousand of them, in the same turn and in the next."""
    bad: dict[str, Any] = {
        "user_hash": "a" * 32, "google_hash": "b" * 32, "sealed": DAMAGED, "email": "c@d.example",
        "platform_id": "luma", "linked_at": 0,
    }  # fmt: skip
    async with sql_world.database.record() as connection:
        await connection.execute(insert(links), [bad] * 1001)
    chore = PlaintextLinks(sql_world.database, sql_world.seals)
    for number in range(2):
        await sql_world.insert_clear_links(link(f"{number}@example.com", "luma"))
        assert await chore.do_some() == 1
        assert await chore.do_some() == 0


async def test_a_damaged_link_or_credential_ends_no_command(sql_world: SqlWorld) -> None:
    """``links add`` writes a new one beside it, ``credentials list`` lists it without a name."""
    await sql_world.add_links(link(ALICE, "luma", "42"))
    async with sql_world.database.record() as connection:
        await connection.execute(update(links).values(sealed=DAMAGED))
    added = link(ALICE, "luma", "42")
    book = LinkBook(sql_world.database, sql_world.seals)
    assert list((await book.write([added])).links) == [added]
    assert added in await book.of_user(ALICE)
    assert await CredentialBook(sql_world.database, sql_world.seals).all(10) == []
    await rotated(sql_world)
    with pytest.raises(SecretKeyMissing):
        await book.write([link(ALICE, "cal")])


async def test_a_person_is_forgotten_though_an_event_is_damaged(sql_world: SqlWorld) -> None:
    """Nothing is left by which it could be found; its platform is not told either."""
    one = event(email=ALICE)
    await sql_world.worker.events.register([intent(one, planned(one, "luma"))])
    await damage(sql_world, one.id)
    recorded = RecordedEvents(sql_world.database, sql_world.seals)
    assert await recorded.of_user(ALICE, 10) == []
    forgetting = Forgetting(sql_world.database, sql_world.seals, ALICE)
    await forgetting.remove()
    assert (await forgetting.found()).events == 0
    assert await due(sql_world.worker) == []


async def test_what_is_sealed_by_a_command_notes_its_key(sql_world: SqlWorld) -> None:
    """In the same transaction, so that nobody takes for damaged what another key has sealed."""
    vault = Vault([new_key()])
    seals = Seals(vault, b"k" * 32)
    await LinkBook(sql_world.database, seals).write([link("new@example.com", "luma")])
    keys = SecretKeys(sql_world.database, sql_world.vault)
    assert {one.fingerprint for one in await keys.in_use()} == {
        *sql_world.vault.fingerprints, *vault.fingerprints,
    }  # fmt: skip


async def test_registering_needs_no_key_of_others(sql_world: SqlWorld) -> None:
    """An event that comes while a key lacks is not refused: whose link it is hashes tell."""
    stranger = Seals(Vault([new_key()]), b"k" * 32)
    await sql_world.add_links(link(ALICE, "luma"))
    async with sql_world.database.record() as connection:
        await connection.execute(update(links).values(sealed=stranger.seal_user(ALICE, None)))
    (found,) = await SqlEventStore(sql_world.database, sql_world.seals).links([event(email=ALICE)])
    assert [one.platform_id for one in found] == ["luma"]
