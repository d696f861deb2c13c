"""What a link becomes when something is said of it again: in whichever order, nothing is lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from tests.harness.store.examples import event, link
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.links.book import LinkBook, LinkChoice
from disconnect_fanout.adapters.store.links.merge import LinkMerge
from disconnect_fanout.cli.arguments.link_line import SINCE_EVER
from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import Provider, User
from disconnect_fanout.domain.identity import connect_hash
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.links.store import Opening
from disconnect_fanout.policy.link_lifetime import opened

ALICE = "alice@example.com"
T0, T1, T2, T3 = (datetime(2025, month, 1, tzinfo=UTC) for month in (1, 3, 5, 7))


def since(start: datetime, end: datetime | None = None, google_id: str | None = None) -> Link:
    """Return an interval of one connection."""
    return Link(ALICE, "luma", start, end, google_id)


def merged(stored: list[Link], *said: Link, anew: bool = False) -> list[Link]:
    """Return all links as they are after something was said, by their starts."""
    rows = dict(enumerate(stored))
    for one in said:
        merge = LinkMerge(rows.items(), anew=anew)
        merge.take(one)
        rows |= dict(merge.touched)
        rows |= {len(rows) + number: new for number, new in enumerate(merge.new)}
    return sorted(rows.values(), key=lambda one: (one.linked_at, str(one.unlinked_at)))


CASES: dict[str, tuple[list[Link], list[Link], list[Link]]] = {
    "an earlier start wins": ([since(T1)], [since(T0)], [since(T0)]),
    "a later start changes nothing": ([since(T0)], [since(T1)], [since(T0)]),
    "since ever is earlier": ([since(T1)], [since(SINCE_EVER)], [since(SINCE_EVER)]),
    "two rows in one file, the later first": ([], [since(T1), since(T0)], [since(T0)]),
    "two rows in one file, the earlier first": ([], [since(T0), since(T1)], [since(T0)]),
    "an ended interval before an open one": (
        [since(T2)], [since(T0, T1)], [since(T0, T1), since(T2)]),
    "an ended interval that overlaps an open one ends nothing": (
        [since(T1)], [since(T0, T2)], [since(T0, T2), since(T1)]),
    "an ended interval inside an open one ends nothing": (
        [since(T0)], [since(T1, T2)], [since(T0), since(T1, T2)]),
    "the end of the same start": ([since(T0)], [since(T0, T1)], [since(T0, T1)]),
    "an end after the later start": ([since(T1)], [since(T0), since(T0, T2)], [since(T0, T2)]),
    "an end by the later start": ([since(T1)], [since(T0), since(T1, T2)], [since(T0, T2)]),
    "an end before the later start: made again since": (
        [since(T2)], [since(T0), since(T0, T1)], [since(T0, T1), since(T2)]),
    "an earlier start with a google id": (
        [since(T1)], [since(T0, google_id="1")], [since(T0, google_id="1")]),
    "an earlier start of an unknown google id": (
        [since(T1, google_id="1")], [since(T0)], [since(T0, google_id="1")]),
    "another google id is another account": (
        [since(T1, google_id="1")], [since(T0, google_id="2")],
        [since(T0, google_id="2"), since(T1, google_id="1")]),
    "rather the entry of exactly this account": (
        [since(T2), since(T1, google_id="1")], [since(T0, google_id="1")],
        [since(T0, google_id="1"), since(T2)]),
    "a google id takes the place of what is none": (
        [since(T1, google_id="1.05942E+11")], [since(T1, google_id="105942374304")],
        [since(T1, google_id="105942374304")]),
    "an ended one is not opened by its own start": ([since(T0, T1)], [since(T0)], [since(T0, T1)]),
    "an older interval keeps its end beside an open one": (
        [since(T0, T1), since(T2)], [since(T0)], [since(T0, T1), since(T2)]),
}  # fmt: skip


@pytest.mark.parametrize(("stored", "said", "left"), CASES.values(), ids=CASES.keys())
def test_what_is_said_again_is_merged(
    stored: list[Link], said: list[Link], left: list[Link]
) -> None:
    """And when all of it is said once more, nothing changes."""
    found = merged(stored, *said)
    assert found == left
    assert merged(found, *said) == left


def test_the_order_of_a_history_does_not_matter() -> None:
    """An ended interval and the open one after it, and the day on which it was added by hand."""
    history = [since(T0, T1), since(T2), since(T3)]
    for order in permutations(history):
        assert merged([], *order) == [since(T0, T1), since(T2)]


@pytest.mark.parametrize("start", [T0, T2])
def test_a_file_imported_again_does_not_open_what_ended(start: datetime) -> None:
    """Neither by the earlier start nor by the one that was known first; adding does."""
    (known,) = merged([since(T2)], since(T0))
    ended = replace(known, unlinked_at=T3)
    assert merged([ended], since(start)) == [since(T0, T3)]
    assert merged([ended], since(start), anew=True)[-1].unlinked_at is None


def test_adding_with_an_earlier_start_moves_it() -> None:
    """Whoever adds a link that is open says at most that it began before."""
    assert merged([since(T1)], since(T0), anew=True) == [since(T0)]
    assert merged([since(T0)], since(T1), anew=True) == [since(T0)]


def test_what_changed_is_counted() -> None:
    """A start that is only remembered is no change."""
    merge = LinkMerge([(1, since(T1))], anew=False)
    merge.take(since(T2))
    assert (len(merge.touched), merge.changed, merge.new) == (1, 0, [])
    merge.take(since(T0))
    assert merge.changed == 1


async def test_starts_are_remembered_at_rest(sql_world: SqlWorld) -> None:
    """Add today, import the history, end, import both files again: one ended link."""
    book = LinkBook(sql_world.database, sql_world.seals)
    await book.write([since(T2)], anew=True)
    done = await book.write([since(T0)])
    assert (done.new, done.changed, list(done.links)) == (0, 1, [since(T0)])
    await book.end(LinkChoice(ALICE, "luma"), T3)
    for again in (T0, T2):
        assert (await book.write([since(again)])).changed == 0
    assert list(await book.of_user(ALICE)) == [since(T0, T3)]


async def test_the_owners_own_row_gets_the_earlier_start(sql_world: SqlWorld) -> None:
    """Clear as it is, and of a Google id that is not known yet."""
    await sql_world.insert_clear_links(replace(since(T2), email="ALICE@example.com"))
    book = LinkBook(sql_world.database, sql_world.seals)
    done = await book.write([since(T0, google_id="42")])
    assert (done.new, done.changed) == (0, 1)
    found = await sql_world.worker.events.links([event(email=ALICE, google_id="42")])
    assert [list(one) for one in found] == [[since(T0, google_id="42")]]


async def test_a_connect_older_than_the_known_link_is_a_link(sql_world: SqlWorld) -> None:
    """In a managed directory each connect is one of its own; the earlier start counts."""
    await sql_world.add_links(link(ALICE, "luma"))
    earlier = link(ALICE, "luma").linked_at - timedelta(days=9)
    connect = ConnectEvent("c1", T0, User(ALICE, None), Provider.GOOGLE, earlier, "luma")
    await sql_world.worker.links.open([Opening(connect, opened(connect), connect_hash(connect))])
    (found,) = await sql_world.worker.events.links([event(email=ALICE)])
    assert min(one.linked_at for one in found) == earlier
