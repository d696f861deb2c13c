"""Links at rest: sealed, found by keyed hashes; what the owner's SQL wrote is found as it is."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from tests.harness.store.examples import event, link
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.crypto.vault import Vault, new_key
from disconnect_fanout.adapters.store.links.book import LinkBook, LinkChoice
from disconnect_fanout.adapters.store.links.candidates import find_links
from disconnect_fanout.adapters.store.links.plaintext import PlaintextLinks
from disconnect_fanout.adapters.store.schema.tables import links
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.domain.link import Link

ALICE = "alice@example.com"
NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)


async def rows(world: SqlWorld) -> list[Any]:
    async with world.database.read() as connection:
        return list(await connection.execute(select(links).order_by(links.c.id)))


async def found(world: SqlWorld, email: str = ALICE, google_id: str | None = None) -> set[Link]:
    """Return the candidates of one event."""
    one = event(email=email, google_id=google_id)
    (candidates,) = await find_links(world.database, world.seals, [one.user])
    return set(candidates.values())


async def seal_all(world: SqlWorld) -> int:
    """Do the worker's chore to its end; return how many links it sealed."""
    chore, count = PlaintextLinks(world.database, world.seals), 0
    while some := await chore.do_some():
        count += some
    return count


async def test_no_address_and_no_google_id_is_in_the_file(sql_world: SqlWorld) -> None:
    """Of a link only sealed bytes and keyed hashes are stored, whoever of us wrote it."""
    book = LinkBook(sql_world.database, sql_world.seals)
    await book.write([link(ALICE, "luma", "105942374304")])
    await sql_world.insert_clear_links(link("bob@example.com", "luma", "7777777777"))
    await seal_all(sql_world)
    shown = repr([tuple(row) for row in await rows(sql_world)])
    for secret in ("alice", "bob", "105942374304", "7777777777"):
        assert secret not in shown


async def test_the_same_address_has_another_hash_in_another_installation(
    sql_world: SqlWorld,
) -> None:
    """A table of hashed addresses made elsewhere finds nobody here."""
    other = Seals(Vault([new_key()]), b"another key of thirty-two bytes.")
    assert other.text_hash(ALICE) != sql_world.seals.text_hash(ALICE)


async def test_what_the_owner_wrote_counts_at_once_and_stays_when_sealed(
    sql_world: SqlWorld,
) -> None:
    """The same links before and after the chore, by address and by google id, under their ids."""
    clear = [link(ALICE, "luma"), link("old@example.com", "cal", "42"), link(ALICE, "boardy", "7")]
    await sql_world.insert_clear_links(*clear)
    before = await found(sql_world, google_id="42")
    assert before == set(clear)
    numbers = [row.id for row in await rows(sql_world)]
    assert await seal_all(sql_world) == 3
    assert await found(sql_world, google_id="42") == before
    assert [row.id for row in await rows(sql_world)] == numbers
    assert await seal_all(sql_world) == 0


async def test_sealed_and_clear_links_of_a_user_are_found_together(sql_world: SqlWorld) -> None:
    """Each once, though one of them matches by both of its columns."""
    sealed, clear = link(ALICE, "luma", "42"), link(ALICE, "cal", "42")
    await sql_world.add_links(sealed)
    await sql_world.insert_clear_links(clear)
    assert await found(sql_world, google_id="42") == {sealed, clear}


async def test_an_address_in_capitals_is_folded_when_it_is_sealed(sql_world: SqlWorld) -> None:
    """The owner's SQL need not know how we compare."""
    await sql_world.insert_clear_links(link("Alice@Example.COM", "luma"))
    await seal_all(sql_world)
    assert await found(sql_world) == {link(ALICE, "luma")}


async def test_the_owner_ends_a_sealed_link_by_its_id(sql_world: SqlWorld) -> None:
    """And may add a google id to it, which is sealed in its turn."""
    await sql_world.insert_clear_links(link(ALICE, "luma"))
    await seal_all(sql_world)
    (row,) = await rows(sql_world)
    at = int(NEW_YEAR.timestamp())
    async with sql_world.database.record() as connection:
        theirs = update(links).where(links.c.id == row.id)
        await connection.execute(theirs.values(unlinked_at=at, google_id="42"))
    ended = replace(link(ALICE, "luma", "42"), unlinked_at=NEW_YEAR)
    assert await found(sql_world) == {ended}
    assert await seal_all(sql_world) == 1
    assert await found(sql_world, "someone@example.com", "42") == {ended}


async def test_sealing_goes_in_batches(sql_world: SqlWorld) -> None:
    """At most 500 rows a transaction, so that nobody waits for the writer long."""
    await sql_world.insert_clear_links(*(link(f"u{n}@example.com", "luma") for n in range(1100)))
    chore = PlaintextLinks(sql_world.database, sql_world.seals)
    assert [await chore.do_some() for _ in range(4)] == [500, 500, 100, 0]


async def test_two_workers_seal_each_link_once(sql_world: SqlWorld) -> None:
    """What one has locked the other passes over."""
    await sql_world.insert_clear_links(*(link(f"u{n}@example.com", "luma") for n in range(600)))
    chore = PlaintextLinks(sql_world.open(), sql_world.seals)
    async with sql_world.database.intend() as connection:
        mine = select(links.c.id).order_by(links.c.id).limit(100).with_for_update()
        await connection.execute(mine)
        if not sql_world.database.sqlite:
            assert await chore.do_some() == 500
    assert await seal_all(sql_world) == (600 if sql_world.database.sqlite else 100)


async def test_a_book_ends_and_merges_what_the_owner_wrote(sql_world: SqlWorld) -> None:
    """A clear link is a link: it is not doubled, it ends, and it is sealed when it changes."""
    book = LinkBook(sql_world.database, sql_world.seals)
    await sql_world.insert_clear_links(link(ALICE, "luma"), link(ALICE, "cal"))
    richer = link(ALICE, "luma", "42")
    assert list((await book.write([richer])).links) == [richer]
    assert [row.email for row in await rows(sql_world)] == [None, ALICE]
    (ended,) = await book.end(LinkChoice(ALICE, "cal"), NEW_YEAR)
    assert ended.unlinked_at == NEW_YEAR
    assert set(await book.of_user(ALICE)) == {richer, ended}


async def test_a_link_that_nobody_can_open_is_still_found_and_judged(sql_world: SqlWorld) -> None:
    """It is found by its hashes, is no other user's, and the chore goes on with the rest."""
    stranger = Seals(Vault([new_key()]), b"x" * 32)
    await sql_world.add_links(link(ALICE, "luma", "42"))
    await sql_world.insert_clear_links(link("bob@example.com", "luma"))
    (row, _) = await rows(sql_world)
    async with sql_world.database.record() as connection:
        lost = update(links).where(links.c.id == row.id)
        await connection.execute(
            lost.values(sealed=stranger.seal_user(ALICE, "42"), google_id="43")
        )
    (theirs,) = await found(sql_world, "someone@example.com", "43")
    assert (theirs.platform_id, theirs.google_id) == ("luma", "43")
    assert await seal_all(sql_world) == 1
