"""A role that may do what ``check`` asks for, and nothing else: each process does all its work."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import insert
from tests.contract.test_managed_links import Worker, connect
from tests.harness.store.examples import attempted, due, event, intent, link, planned, registered
from tests.harness.store.poison import CLEAR, spoil_event
from tests.harness.store.postgres_role import grants, role
from tests.harness.store.replay_examples import HORIZON_S
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.deliveries.plaintext_answers import PlaintextAnswers
from disconnect_fanout.adapters.store.deliveries.unreadable_events import UnreadableEvents
from disconnect_fanout.adapters.store.http_api.api_keys import SqlApiKeys
from disconnect_fanout.adapters.store.http_api.credentials import CredentialBook
from disconnect_fanout.adapters.store.http_api.ended_connections import SqlConnections
from disconnect_fanout.adapters.store.http_api.outbox import SqlOutbox
from disconnect_fanout.adapters.store.http_api.remembered_answer import RememberedAnswers
from disconnect_fanout.adapters.store.inspection.privileges import (
    API,
    MANAGED,
    NEEDED,
    Needs,
    lacking_privileges,
)
from disconnect_fanout.adapters.store.inspection.trial import try_out, try_rows
from disconnect_fanout.adapters.store.links.plaintext import PlaintextLinks
from disconnect_fanout.adapters.store.migration.migrate import check_schema
from disconnect_fanout.adapters.store.platforms.open_breakers import OpenBreakers
from disconnect_fanout.adapters.store.platforms.waiting import WaitingRoom
from disconnect_fanout.adapters.store.rows.older_hashes import OlderRows
from disconnect_fanout.adapters.store.schema import tables
from disconnect_fanout.adapters.store.seals.event_seals import load_seals
from disconnect_fanout.adapters.store.seals.secret_keys import SecretKeys
from disconnect_fanout.domain.api_key import KeyKind
from disconnect_fanout.domain.credential import Calendar, Credential
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.flow.disconnection import Ended, Memo
from disconnect_fanout.flow.links.keeper import Linked
from disconnect_fanout.policy.change import GivenUp, LetterConfirmed
from disconnect_fanout.policy.decide import DeadLettered, Delivered

ALICE = "alice@example.com"
COUNTERS = {"links": "links_id_seq", "outbox": "outbox_number_seq"}
GONE = DeadLettered(DeadReason.GONE)


@asynccontextmanager
async def exact(owner: SqlWorld, needs: Needs) -> AsyncIterator[SqlWorld]:
    """A process whose role may do exactly this."""
    counted = [COUNTERS[one] for one in needs if one in COUNTERS and "INSERT" in needs[one]]
    may = [*grants(needs), *(f"USAGE ON SEQUENCE {one}" for one in counted)]
    async with role(owner, *may) as url:
        world = SqlWorld(url, owner.vault, owner.seals)
        try:
            yield world
        finally:
            await world.close()


@pytest.fixture
async def owner(postgres_url: str) -> AsyncIterator[SqlWorld]:
    """Who may do everything."""
    world = await SqlWorld.on(postgres_url)
    yield world
    await world.close()


@pytest.mark.parametrize("needs", [NEEDED, MANAGED], ids=["external", "managed"])
async def test_a_worker_needs_no_more_than_check_asks_for(owner: SqlWorld, needs: Needs) -> None:
    """All that it does to a row. Fails before: an answer's lock, and links when it learns them."""
    await owner.add_platform("luma")
    async with owner.database.record() as connection:
        await connection.execute(insert(tables.links).values(CLEAR))
        await SqlOutbox(owner.database, owner.seals).put(connection, [event()])
    async with exact(owner, needs) as world:
        database = world.database
        assert await lacking_privileges(database, needs) == []
        assert await check_schema(database) is None
        assert (await load_seals(database, world.vault)).fingerprints == world.seals.fingerprints
        await SecretKeys(database, world.vault).look()
        await try_out(database)
        await try_rows(database)
        await world.worker.events.probe()
        await _deliver(owner, world)
        await _replay(owner, world)
        await _look_after(owner, world)
        if needs is MANAGED:
            worker = await Worker(world.worker).ready()
            await worker.overlook(event())
            assert await worker.links.learn(connect("c1")) == Linked(recipients=1)
            await worker.disconnect(event())


async def test_the_api_needs_no_more_than_check_asks_for(owner: SqlWorld) -> None:
    """Both operations, remembered, and the outbox. Fails before: nobody said what it needs."""
    await owner.add_links(link(ALICE, "luma"), link("bob@example.com", "luma"))
    await CredentialBook(owner.database, owner.seals).write(
        [Credential(1, Calendar.GOOGLE.credential_type, 7, ALICE, None, None, None, invalid=False)]
    )
    _, token = await SqlApiKeys(owner.database).create(KeyKind.PLATFORM, platform_id="luma")
    async with exact(owner, API) as world:
        database = world.database
        assert await lacking_privileges(database, API) == []
        assert await check_schema(database) is None
        await load_seals(database, world.vault)
        await SecretKeys(database, world.vault).look()
        await try_out(database)
        assert await SqlApiKeys(database).find(token) is not None
        connections = SqlConnections(database, world.seals)
        memo = Memo("key_1", "once", "digest")
        for _ in range(2):
            assert await connections.end_user("bob@example.com", "luma", memo) == Ended()
        done = await connections.end_credential(1, Calendar.GOOGLE, 7, Memo("key_1", "two", "d"))
        assert isinstance(done, Credential)
        box = SqlOutbox(database, world.seals)
        first, second = [one.number for one in await box.take(5, 60.0)]
        await box.give_back([first])
        await box.set_aside({second: "sealed: is nothing"})
        await box.kept([first, second])


LACKING = [
    (MANAGED, "INSERT ON links", "links"),
    (MANAGED, "INSERT ON connects", "connects"),
    (NEEDED, "UPDATE ON answers", "answers"),
    (API, "INSERT ON outbox", "outbox"),
    (API, "SELECT ON api_keys", "api_keys"),
    (API, "DELETE ON credentials", "credentials"),
    (API, "UPDATE ON links", "links"),
]


@pytest.mark.parametrize(("needs", "what", "table"), LACKING, ids=[one[1] for one in LACKING])
async def test_what_lacks_is_named(owner: SqlWorld, needs: Needs, what: str, table: str) -> None:
    """For each process what it needs of its own."""
    left = needs[table].replace(what.split(maxsplit=1)[0], "").split()
    lesser = {**needs, table: " ".join(left)} if left else _without(needs, table)
    async with exact(owner, lesser) as world:
        found = await lacking_privileges(world.database, needs)
        assert [one for one in found if "SEQUENCE" not in one] == [what]


@pytest.mark.parametrize(("needs", "counter"), [(MANAGED, "links"), (API, "outbox")])
async def test_a_counter_that_may_not_be_used_is_named(
    owner: SqlWorld, needs: Needs, counter: str
) -> None:
    """PostgreSQL counts rows by a thing of its own. Fails before: the first INSERT was refused."""
    others = [f"USAGE ON SEQUENCE {name}" for one, name in COUNTERS.items() if one != counter]
    async with role(owner, *grants(needs), *others) as url:
        world = SqlWorld(url, owner.vault, owner.seals)
        try:
            found = await lacking_privileges(world.database, needs)
        finally:
            await world.close()
    assert found == [f"USAGE ON SEQUENCE {COUNTERS[counter]}"]


def _without(needs: Needs, table: str) -> Needs:
    return {name: needs[name] for name in needs if name != table}


async def _deliver(owner: SqlWorld, world: SqlWorld) -> None:
    """From the event to the letter; a row that can't be opened among them."""
    ports = world.worker
    await ports.platforms.platforms()
    one = event()
    for _ in range(2):
        await ports.events.register([intent(one, planned(one, "luma", lease="mine"))])
    name = planned(one, "luma").id
    await ports.ledger.commit([attempted(name, "mine", Delivered(), answer="yes")])
    names = [await registered(ports, lease="mine") for _ in range(2)]
    await ports.ledger.commit([attempted(names[0], "mine", GONE, answer="no")])
    await ports.ledger.commit([GivenUp(names[1], "mine", DeadReason.EXPIRED)])
    for each in names:
        await ports.ledger.commit([LetterConfirmed(each, replays=0)])
    await ports.letters.overdue(5, 1)
    bad = await registered(ports)
    await spoil_event(owner, (await owner.row(bad)).event_id)
    assert await due(ports) == []


async def _replay(owner: SqlWorld, world: SqlWorld) -> None:
    jobs = owner.worker.jobs
    dead = await _dead(world)
    await owner.add_platform("cal")
    await jobs.create(dead)
    await world.worker.replays.advance(HORIZON_S)
    await owner.pass_time(HORIZON_S)
    await due(world.worker, "cal")


async def _dead(world: SqlWorld) -> Sequence[str]:
    name = await registered(world.worker, "cal", lease="mine")
    gone = GivenUp(name, "mine", DeadReason.EXPIRED)
    await world.worker.ledger.commit([gone])
    await world.worker.ledger.commit([LetterConfirmed(name, replays=0)])
    return [name]


async def _look_after(owner: SqlWorld, world: SqlWorld) -> None:
    database, seals = world.database, world.seals
    for job in (
        PlaintextLinks(database, seals),
        PlaintextAnswers(database, world.vault),
        OlderRows(database, seals),
        UnreadableEvents(database, seals),
        RememberedAnswers(database, seals),
    ):
        await job.do_some()
    assert await world.worker.leader_lease.hold("sweep", "me", 60)
    breakers = OpenBreakers(database, "me")
    for open_here in (["luma"], []):
        await breakers.report(open_here)
    await WaitingRoom(database).count()
    box = SqlOutbox(database, seals)
    await box.kept([one.number for one in await box.take(5, 60.0)])
    await owner.pass_time(timedelta(days=60).total_seconds())
    retention = world.worker.retention(timedelta(days=30).total_seconds())
    while await retention.do_some():
        pass
