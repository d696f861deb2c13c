"""The job that looks at rows of older versions: once each, whatever it meets."""

from sqlalchemy import select
from tests.contract.test_mailboxes import nameless, told
from tests.contract.test_older_rows import EXAMPLE, PEOPLE, look_at_all, unseen
from tests.harness.store.examples import intent, link
from tests.harness.store.older_version import OlderVersion
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.crypto.vault import Vault, new_key
from disconnect_fanout.adapters.store.links.book import LinkBook
from disconnect_fanout.adapters.store.schema.api_tables import credentials, outbox
from disconnect_fanout.adapters.store.schema.tables import events, links
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.domain.mailbox import mailbox


async def test_each_row_is_looked_at_once(sql_world: SqlWorld) -> None:
    """In every table, a page at a time; then there is nothing more to do."""
    older = OlderVersion(sql_world)
    await older.link(*(link(f"u{nth}@b\u00fccher.example", "luma") for nth in range(450)))
    for nth, email in enumerate(PEOPLE):
        await older.event(intent(nameless(email)))
        await older.promise(nameless(email))
        await older.credential(nth, email)
    seen = await look_at_all(sql_world)
    assert seen == 450 + 3 * len(PEOPLE)
    assert await unseen(sql_world, links, events, outbox, credentials) == 0
    assert await look_at_all(sql_world) == 0
    assert await told(sql_world, "U449@xn--bcher-kva.example") == {"luma"}


async def test_rows_that_cant_be_opened_hold_nobody_up(sql_world: SqlWorld) -> None:
    """More of them than a page has; they are tried again in every pass."""
    lost = Seals(Vault([new_key()]), b"x" * 32)
    await OlderVersion(sql_world, lost).link(
        *(link(f"u{nth}@x.example", "l") for nth in range(450))
    )
    await OlderVersion(sql_world).link(link("x@b\u00fccher.example", "luma"))
    await OlderVersion(sql_world).event(EXAMPLE)
    assert await look_at_all(sql_world) == 2
    assert await unseen(sql_world, links, events) == 450
    assert await told(sql_world, "x@xn--bcher-kva.example") == {"luma"}
    assert await told(sql_world, "U7@x.example") == {"l"}


async def test_an_older_worker_still_finds_its_rows_and_ours(sql_world: SqlWorld) -> None:
    """The hash that it looks for stays what it was, and is there in what this version writes."""
    older = OlderVersion(sql_world)
    await older.link(*(link(one, "luma") for one in PEOPLE))
    await look_at_all(sql_world)
    await sql_world.add_links(link(mailbox("v@b\u00fccher.example"), "luma"))
    one = nameless("Stra\u00dfe@B\u00fccher.example")
    await sql_world.worker.events.register([intent(one)])
    async with sql_world.database.read() as connection:
        hashes = set((await connection.execute(select(links.c.user_hash))).scalars())
        (event_hash,) = (await connection.execute(select(events.c.user_hash))).scalars()
    wanted = {sql_world.seals.text_hash(email.casefold()) for email in PEOPLE}
    assert hashes == wanted | {sql_world.seals.text_hash("v@b\u00fccher.example")}
    assert event_hash == sql_world.seals.user_hash(one.user.email.casefold())


async def test_a_plain_address_costs_nothing_more(sql_world: SqlWorld) -> None:
    """It has one hash, in the column that there always was; neither is anything decrypted."""
    await sql_world.add_links(link("alice@example.com", "luma"))
    await OlderVersion(sql_world).link(link("Bob@example.com", "luma"))
    await look_at_all(sql_world)
    async with sql_world.database.read() as connection:
        rows = (await connection.execute(select(links))).all()
    assert [row.mailbox_hash for row in rows] == [None, None]
    async with sql_world.database.record() as connection:
        await connection.execute(links.update().values(sealed=b"nobody opens this"))
    for email in ("ALICE@example.com", "bob@Example.com"):
        assert await told(sql_world, email) == {"luma"}


async def test_an_older_link_that_is_written_again_stays_what_it_is(sql_world: SqlWorld) -> None:
    """A Google id that becomes known is no proof of how the address was spelled."""
    await OlderVersion(sql_world).link(link("stra\u00dfe@x.example", "luma"))
    await look_at_all(sql_world)
    book = LinkBook(sql_world.database, sql_world.seals)
    await book.write([link("strasse@x.example", "luma", "42")])
    assert await told(sql_world, "stra\u00dfe@x.example") == {"luma"}
    assert await unseen(sql_world, links) == 0
