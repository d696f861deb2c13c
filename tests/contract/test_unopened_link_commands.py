"""``links end`` and ``links list`` on links that can't be opened here."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update
from tests.contract.test_secret_keys import DAMAGED, rotated
from tests.harness.store.examples import link
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.links.book import LinkBook, LinkChoice
from disconnect_fanout.adapters.store.schema.tables import links
from disconnect_fanout.flow.outage import SecretKeyMissing

ALICE, ACCOUNT = "alice@example.com", "105942374304"


async def sealed(world: SqlWorld, what: bytes) -> LinkBook:
    """Return the book of one link, of which this is what is sealed."""
    await world.add_links(link(ALICE, "luma", ACCOUNT))
    async with world.database.record() as connection:
        await connection.execute(update(links).values(sealed=what))
    return LinkBook(world.database, world.seals)


async def elsewhere(world: SqlWorld) -> LinkBook:
    """Return the book of a link that was sealed with a key that is not here."""
    stranger = await rotated(world)
    return await sealed(world, stranger.seal_user(ALICE, ACCOUNT))


async def is_open(world: SqlWorld) -> bool:
    """Tell whether the link goes on."""
    async with world.database.read() as connection:
        ends = await connection.execute(select(links.c.unlinked_at))
        return ends.scalar_one() is None


@pytest.mark.parametrize("google_id", [None, "7"])
async def test_nothing_ends_without_its_key(sql_world: SqlWorld, google_id: str | None) -> None:
    """Its account is not known here. Fails before: it ended under an invented one."""
    book = await elsewhere(sql_world)
    with pytest.raises(SecretKeyMissing):
        await book.end(LinkChoice(ALICE, "luma", google_id), datetime.now(UTC))
    assert await is_open(sql_world)


async def test_what_is_asked_for_in_full_needs_no_key(sql_world: SqlWorld) -> None:
    """Its hashes say all. Fails before: with its own account it was not found."""
    book = await elsewhere(sql_world)
    (ended,) = await book.end(LinkChoice(ALICE, "luma", ACCOUNT), datetime.now(UTC))
    assert (ended.email, ended.google_id) == (ALICE, ACCOUNT)


async def test_nothing_is_listed_without_its_key(sql_world: SqlWorld) -> None:
    """Fails before: it was listed under an invented account."""
    book = await elsewhere(sql_world)
    with pytest.raises(SecretKeyMissing):
        await book.of_user(ALICE)


async def test_a_damaged_link_is_listed_without_an_account(sql_world: SqlWorld) -> None:
    """Nobody knows it. Fails before: it was listed under an invented one."""
    book = await sealed(sql_world, DAMAGED)
    assert [one.google_id for one in await book.of_user(ALICE)] == [None]


@pytest.mark.parametrize("google_id", [None, ACCOUNT])
async def test_a_damaged_link_ends_by_what_is_asked_for(
    sql_world: SqlWorld, google_id: str | None
) -> None:
    """Its hashes say that it is theirs. Fails before: with its account it was not found."""
    book = await sealed(sql_world, DAMAGED)
    (ended,) = await book.end(LinkChoice(ALICE, "luma", google_id), datetime.now(UTC))
    assert ended.google_id == google_id
    assert not await is_open(sql_world)


async def test_a_damaged_link_is_not_another_accounts(sql_world: SqlWorld) -> None:
    """Whoever names another account ends nothing, nor does who guesses the stand-in."""
    book = await sealed(sql_world, DAMAGED)
    for other in ("7", "0" * 24):
        assert await book.end(LinkChoice(ALICE, "luma", other), datetime.now(UTC)) == []
    assert await is_open(sql_world)
