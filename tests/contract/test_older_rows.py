"""Rows hashed by the rule of older versions: found before, while and after they are looked at."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import Table, func, select
from tests.contract.test_mailboxes import APART, nameless, told
from tests.contract.test_managed_links import connect
from tests.harness.store.examples import intent, link, planned
from tests.harness.store.older_version import OlderVersion
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.events.history import EventFilter, EventHistory
from disconnect_fanout.adapters.store.events.recorded import RecordedEvents
from disconnect_fanout.adapters.store.http_api.credentials import CredentialBook
from disconnect_fanout.adapters.store.http_api.ended_connections import SqlConnections
from disconnect_fanout.adapters.store.http_api.outbox import SqlOutbox
from disconnect_fanout.adapters.store.links.book import LinkBook, LinkChoice
from disconnect_fanout.adapters.store.privacy.forgetting import Forgetting
from disconnect_fanout.adapters.store.rows.older_hashes import OlderRows
from disconnect_fanout.adapters.store.rows.user_match import match_events
from disconnect_fanout.adapters.store.schema.connect_table import connects
from disconnect_fanout.adapters.store.schema.tables import events
from disconnect_fanout.domain.event import DisconnectEvent, User
from disconnect_fanout.domain.mailbox import mailbox
from disconnect_fanout.flow.disconnection import Ended, NotConnected

PEOPLE = (
    "Alice@Example.com", "x@b\u00fccher.example", "y@xn--bcher-kva.example", "jos\u00e9@x.example",
    "rene\u0301@x.example", "z@example.com.", "stra\u00dfe@x.example", "w@wei\u00df.example",
    "\u03c3\u03bf\u03c6\u03cc\u03c2@x.example", "o\ufb03ce@x.example", "\u212aate@x.example",
)  # fmt: skip
EXAMPLE = intent(nameless("stra\u00dfe@x.example"))
AN_HOUR_LATER = EXAMPLE.event.disconnected_at + timedelta(hours=1)
Look = Callable[[SqlWorld], Awaitable[None]]


async def look_at_all(world: SqlWorld) -> int:
    """Look at every older row; return how many could be opened."""
    rows, seen = OlderRows(world.database, world.seals), 0
    while some := await rows.do_some():
        seen += some
    return seen


async def unseen(world: SqlWorld, *tables: Table) -> int:
    """How many rows nobody has looked at."""
    async with world.database.read() as connection:
        counted = [
            select(func.count()).select_from(one).where(one.c.spelling.is_(None)) for one in tables
        ]
        return sum([(await connection.execute(one)).scalar_one() for one in counted])


async def before(_world: SqlWorld) -> None:
    """Nobody has looked at them."""


async def while_(world: SqlWorld) -> None:
    """The links are done, the other tables are not."""
    await OlderRows(world.database, world.seals).do_some()


async def after(world: SqlWorld) -> None:
    """All are done."""
    await look_at_all(world)


states = pytest.mark.parametrize("look", [before, while_, after])


@states
async def test_who_was_linked_is_told(sql_world: SqlWorld, look: Look) -> None:
    """Also if folding has lost letters, for an end that is not told is the worst."""
    older = OlderVersion(sql_world)
    await older.link(*(link(one, f"p{nth}") for nth, one in enumerate(PEOPLE)))
    await look(sql_world)
    for nth, one in enumerate(PEOPLE):
        assert await told(sql_world, one) == {f"p{nth}"}, nth
    shown = await LinkBook(sql_world.database, sql_world.seals).of_user(PEOPLE[6])
    assert [one.platform_id for one in shown] == ["p6"]


@states
async def test_a_row_of_now_is_kept_apart_from_older_ones(sql_world: SqlWorld, look: Look) -> None:
    """Only the older row is both's; what this version wrote is its own user's alone."""
    older = OlderVersion(sql_world)
    for one, other in APART[:5]:
        await older.link(link(one, "older"))
        await sql_world.add_links(link(mailbox(one), "luma"), link(mailbox(other), "cal"))
    await look(sql_world)
    for one, other in APART[:5]:
        if mailbox(other) == mailbox(one.casefold()):
            assert await told(sql_world, other) == {"older", "cal"}
        assert await told(sql_world, one) == {"older", "luma"}


@states
async def test_what_may_be_anothers_is_told_and_never_ended(
    sql_world: SqlWorld, look: Look
) -> None:
    """Neither by an event nor by a command nor over HTTP: it may be the only one that they have."""
    await OlderVersion(sql_world).link(link("stra\u00dfe@x.example", "luma"))
    await look(sql_world)
    book = LinkBook(sql_world.database, sql_world.seals)
    choice = LinkChoice("stra\u00dfe@x.example", "luma")
    assert await book.end(choice, EXAMPLE.event.disconnected_at) == []
    connections = SqlConnections(sql_world.database, sql_world.seals)
    assert await connections.end_user("stra\u00dfe@x.example", "luma", None) == Ended()
    assert await connections.end_user("straser@x.example", "luma", None) == NotConnected()
    assert await told(sql_world, "strasse@x.example") == {"luma"}
    assert len(await book.end(LinkChoice("STRASSE@x.example", "luma"), AN_HOUR_LATER)) == 1


@states
async def test_a_connection_ends_in_any_spelling(sql_world: SqlWorld, look: Look) -> None:
    """Over HTTP: the link, the Google credential, and whom the event is about."""
    older = OlderVersion(sql_world)
    await older.link(link("x@B\u00fccher.example", "luma"))
    await older.credential(1, "x@b\u00fccher.example")
    await older.credential(2, "strasse@x.example")
    await look(sql_world)
    connections = SqlConnections(sql_world.database, sql_world.seals)
    assert await connections.end_user("X@xn--bcher-kva.example", "luma", None) == Ended()
    assert await connections.end_user("x@b\u00fccher.example", "luma", None) == NotConnected()
    (promise,) = await SqlOutbox(sql_world.database, sql_world.seals).take(9, 1.0)
    assert promise.event.user.email == "x@b\u00fccher.example"
    left = await CredentialBook(sql_world.database, sql_world.seals).all(9)
    assert [one.id for one in left] == [2]


async def shown(world: SqlWorld, email: str) -> list[list[str]]:
    """The ids of a user's events: as filters, ``explain`` and connects that come late see them."""
    theirs = await match_events(world.database, world.seals, email)
    history = await EventHistory(world.database).all(EventFilter(user=theirs), 99)
    opened = await RecordedEvents(world.database, world.seals).of_user(email, 99)
    (late,) = await world.worker.links.disconnects([User(email, None)])
    return [
        sorted(one.event_id for one in history),
        sorted(one.id for one in opened),
        sorted(one.id for one in late),
    ]


@states
async def test_events_are_found_by_what_was_published(sql_world: SqlWorld, look: Look) -> None:
    """They were sealed as they came, so of two namesakes each has their own from the start."""
    recorded: dict[str, DisconnectEvent] = {}
    older = OlderVersion(sql_world)
    for email in [name for pair in APART for name in pair] + list(PEOPLE[:6]):
        recorded[email] = nameless(email)
        await older.event(intent(recorded[email]))
    await look(sql_world)
    now = nameless("strasse@x.example")
    await sql_world.worker.events.register([intent(now)])
    for email, one in recorded.items():
        own = sorted([one.id, now.id] if email == now.user.email else [one.id])
        assert await shown(sql_world, email) == [own] * 3, email
    assert (
        await shown(sql_world, "X@XN--bcher-KVA.example")
        == [[recorded["x@b\u00fccher.example"].id]] * 3
    )


@states
async def test_a_person_is_forgotten_and_their_namesake_is_not(
    sql_world: SqlWorld, look: Look
) -> None:
    """Events and promises are whose they were published about; a doubtful link stays."""
    older = OlderVersion(sql_world)
    pair = [nameless(one) for one in APART[0]]
    for one in pair:
        await older.event(intent(one, planned(one, "luma")))
        await older.promise(one)
        await older.connect(connect(f"c_{one.id}", user=one.user))
        await sql_world.add_links(link(mailbox(one.user.email), "cal"))
    await older.link(link(APART[0][0], "luma"))
    await look(sql_world)
    person = Forgetting(
        sql_world.database, sql_world.seals, APART[0][0].upper().replace("SS", "\u00df")
    )
    found = await person.found()
    assert (found.links, found.events, found.promised) == (1, 1, 1)
    assert await person.discard() == 2
    await person.remove()
    assert (await person.found()).events == 0
    assert await told(sql_world, APART[0][1]) == {"luma", "cal"}
    assert await shown(sql_world, APART[0][1]) == [[pair[1].id]] * 3
    (promise,) = await SqlOutbox(sql_world.database, sql_world.seals).take(9, 1.0)
    assert promise.event.user.email == APART[0][1]
    async with sql_world.database.read() as connection:
        row = (await connection.execute(select(events).where(events.c.id == pair[0].id))).one()
        learnt = (await connection.execute(select(connects.c.user_hash))).scalars().all()
    assert (row.user_hash, row.mailbox_hash) == (None, None)
    assert set(learnt) == {None}
