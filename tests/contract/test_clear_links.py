"""What the owner's SQL wrote into ``links`` counts at once, however it is spelled."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import ColumnElement, func, insert, literal_column, select, update
from tests.harness.store.examples import DISCONNECTED_AT, event, intent, link
from tests.harness.store.row_rules import lift_rules
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.http_api.ended_connections import SqlConnections
from disconnect_fanout.adapters.store.links.book import LinkBook, LinkChoice
from disconnect_fanout.adapters.store.links.candidates import find_links
from disconnect_fanout.adapters.store.links.plaintext import PlaintextLinks
from disconnect_fanout.adapters.store.links.plaintext_search import ODD, key
from disconnect_fanout.adapters.store.privacy.forgetting import Forgetting
from disconnect_fanout.adapters.store.schema.tables import clear, links
from disconnect_fanout.domain.event import DisconnectEvent, Provider
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.mailbox import mailbox
from disconnect_fanout.flow.disconnection import Ended, NotConnected

SPELLINGS = {
    "capitals": ("User7@Example.Com", "user7@example.com"),
    "a trailing dot": ("user7@example.com.", "user7@example.com"),
    "blanks around it": ("  User7@example.com ", "user7@example.com"),
    "a tab and a line's end": ("user7@example.com\t\r\n", "user7@example.com"),
    "a no-break space": ("user7@example.com\xa0", "user7@example.com"),
    "accented capitals": ("JOSÉ@example.com", "josé@example.com"),
    "decomposed": ("jose\u0301@example.com", "JOSÉ@example.com"),
    "a domain in capitals": ("a@BÜCHER.example", "a@bücher.example"),
    "a domain as A-labels": ("a@XN--BCHER-KVA.Example", "a@bücher.example"),
    "a domain in letters": ("a@bücher.example", "a@xn--bcher-kva.example"),
    "full width": ("a@\uff45\uff58ample.com", "a@example.com"),
    "an ideographic full stop": ("a@example。com", "A@example.com"),
    "greek": ("ΣΊΣΥΦΟΣ@example.com", "σίσυφοσ@example.com"),
}
STRANGERS = {
    "sharp s": ("straße@example.com", "strasse@example.com"),
    "Kelvin": ("\u212aate@example.com", "kate@example.com"),
    "long s": ("\u017fam@example.com", "sam@example.com"),
    "a ligature": ("o\ufb03ce@example.com", "office@example.com"),
    "a domain with sharp s": ("a@weiß.example", "a@weiss.example"),
    "a dot inside": ("a.b@example.com", "ab@example.com"),
}


async def found(world: SqlWorld, email: str, google_id: str | None = None) -> list[Link]:
    """Return the candidates of one event."""
    user = event(email=email, google_id=google_id).user
    (candidates,) = await find_links(world.database, world.seals, [user])
    return list(candidates.values())


async def seal_all(world: SqlWorld) -> None:
    chore = PlaintextLinks(world.database, world.seals)
    while await chore.do_some():
        pass


async def clear_count(world: SqlWorld) -> int:
    async with world.database.read() as connection:
        counted = select(func.count()).select_from(links).where(clear)
        return int((await connection.execute(counted)).scalar_one())


@pytest.mark.parametrize(("stored", "published"), SPELLINGS.values(), ids=SPELLINGS.keys())
async def test_a_clear_address_is_found_however_it_is_spelled(
    sql_world: SqlWorld, stored: str, published: str
) -> None:
    """Before a worker has sealed it and afterwards, under both spellings."""
    await sql_world.insert_clear_links(link(stored, "luma"), link("x@example.com", "cal"))
    for _ in range(2):
        for spelling in (published, stored.strip()):
            (one,) = await found(sql_world, spelling)
            assert one == link(mailbox(published), "luma")
        await seal_all(sql_world)


@pytest.mark.parametrize(("stored", "published"), STRANGERS.values(), ids=STRANGERS.keys())
async def test_a_stranger_is_not_found(sql_world: SqlWorld, stored: str, published: str) -> None:
    """What search engines take for the same are two persons, clear or sealed."""
    await sql_world.insert_clear_links(link(stored, "luma"))
    for _ in range(2):
        assert await found(sql_world, published) == []
        assert len(await found(sql_world, stored)) == 1
        await seal_all(sql_world)


@pytest.mark.parametrize("stored", ["42", " 42 ", "42\n", "\t42"])
async def test_a_clear_google_id_is_found_with_blanks_around_it(
    sql_world: SqlWorld, stored: str
) -> None:
    """As the import would read it, before and after it is sealed."""
    await sql_world.insert_clear_links(link("old@example.com", "luma", stored))
    for _ in range(2):
        assert await found(sql_world, "new@example.com", "42") == [
            link("old@example.com", "luma", "42")
        ]
        await seal_all(sql_world)


async def test_what_is_clear_is_newer_than_what_is_sealed(sql_world: SqlWorld) -> None:
    """A row whose address the owner has changed is the new one's, and no more the old one's."""
    await sql_world.add_links(link("old@example.com", "luma", "42"))
    async with sql_world.database.record() as connection:
        await connection.execute(update(links).values(email="NEW@Example.com"))
    book = LinkBook(sql_world.database, sql_world.seals)
    for _ in range(2):
        assert await found(sql_world, "old@example.com") == []
        assert await book.of_user("old@example.com") == []
        assert len(await found(sql_world, "new@example.com")) == 1
        assert len(await found(sql_world, "x@example.com", "42")) == 1
        await seal_all(sql_world)


async def test_forgetting_takes_odd_rows_and_what_another_address_was_written_over(
    sql_world: SqlWorld,
) -> None:
    """The clear row goes; of the overwritten one only what was sealed of the person goes."""
    await sql_world.add_links(link("josé@example.com", "luma"))
    async with sql_world.database.record() as connection:
        await connection.execute(update(links).values(email="heir@example.com"))
    await sql_world.insert_clear_links(link("JOSE\u0301@Example.com.", "cal"))
    person = Forgetting(sql_world.database, sql_world.seals, mailbox("JOSÉ@example.com"))
    assert (await person.found()).links == 1
    await person.remove()
    async with sql_world.database.read() as connection:
        (row,) = (await connection.execute(select(links))).all()
    assert sql_world.seals.open_user(row.sealed) == ("heir@example.com", None)
    assert row.user_hash == sql_world.seals.text_hash("heir@example.com")


async def test_commands_and_the_api_end_what_is_spelled_oddly(sql_world: SqlWorld) -> None:
    """`links end` and a platform's disconnect find the clear row."""
    await sql_world.insert_clear_links(
        link("JOSÉ@example.com", "luma"), link("A@BÜCHER.example", "luma")
    )
    book = LinkBook(sql_world.database, sql_world.seals)
    assert (
        len(await book.end(LinkChoice(mailbox("josé@example.com"), "luma"), DISCONNECTED_AT)) == 1
    )
    api = SqlConnections(sql_world.database, sql_world.seals)
    assert await api.end_user("a@xn--bcher-kva.example", "luma", None) == Ended()
    assert await api.end_user("a@xn--bcher-kva.example", "luma", None) == NotConnected()


async def test_an_import_merges_with_what_is_spelled_oddly(sql_world: SqlWorld) -> None:
    """One link, not two; it has the earlier start and is sealed."""
    await sql_world.insert_clear_links(replace(link("JOSÉ@x.example.", "luma"), provider=None))
    earlier = datetime(2019, 1, 1, tzinfo=UTC)
    book = LinkBook(sql_world.database, sql_world.seals)
    done = await book.write([replace(link("josé@x.example", "luma"), linked_at=earlier)])
    assert (done.new, done.changed) == (0, 1)
    assert [one.linked_at for one in await found(sql_world, "josé@x.example")] == [earlier]
    assert await clear_count(sql_world) == 0


async def test_odd_ones_are_sealed_first(sql_world: SqlWorld) -> None:
    """Every look-up reads them, so they are not left behind a million others."""
    await sql_world.insert_clear_links(*(link(f"u{n}@example.com", "luma") for n in range(600)))
    await sql_world.insert_clear_links(*(link(f"Ü{n}@example.com", "luma") for n in range(10)))
    assert await PlaintextLinks(sql_world.database, sql_world.seals).do_some() == 10
    odd = select(func.count()).select_from(links).where(key(sql_world.database, "email") == ODD)
    async with sql_world.database.read() as connection:
        assert (await connection.execute(odd)).scalar_one() == 0


async def test_thousands_of_odd_rows_are_compared_in_one_look_up(sql_world: SqlWorld) -> None:
    """Each event finds its own row among 3,000 that only we can compare."""
    await sql_world.insert_clear_links(*(link(f"Ü{n}@example.com", "luma") for n in range(3000)))
    users = [event(email=f"ü{n}@example.com", google_id=None).user for n in range(0, 3000, 30)]
    candidates = await find_links(sql_world.database, sql_world.seals, users)
    assert [len(one) for one in candidates] == [1] * 100


async def test_rows_that_nobody_can_read_hinder_nobody(sql_world: SqlWorld) -> None:
    """A blank address, a provider that nobody knows, milliseconds for seconds: others are told."""
    await lift_rules(sql_world)
    good = link("alice@example.com", "luma")
    await sql_world.insert_clear_links(good)
    odd = {"platform_id": "cal", "linked_at": 0}
    rows = [
        {**odd, "email": "  ", "google_id": "42"},
        {**odd, "email": "alice@example.com", "provider": "Google"},
        {**odd, "email": "alice@example.com", "provider": "yahoo"},
        {**odd, "email": "alice@example.com", "linked_at": 1_763_740_000_000},
    ]
    async with sql_world.database.record() as connection:
        for row in rows:
            await connection.execute(insert(links).values(row))
    for _ in range(2):
        candidates = await found(sql_world, "alice@example.com", "42")
        assert good in candidates
        assert [one.provider for one in candidates if one.platform_id == "cal"].count(None) >= 1
        assert Provider.GOOGLE in {one.provider for one in candidates}
        await seal_all(sql_world)
    assert await clear_count(sql_world) == 0


async def test_bytes_that_are_no_text_hinder_nobody(sqlite_url: str) -> None:
    """SQLite keeps Latin-1 and blobs where a text should be; all others are found and sealed."""
    world = await SqlWorld.on(sqlite_url)
    await lift_rules(world)
    try:
        await world.insert_clear_links(link("alice@example.com", "luma"))
        async with world.database.record() as connection:
            latin: ColumnElement[str] = literal_column("CAST(x'6a6f73e9406578616d706c65' AS TEXT)")
            for wrong in (latin, literal_column("x'e94062'")):
                row = {"email": wrong, "google_id": literal_column("x'ff'")}
                await connection.execute(
                    insert(links).values(**row, platform_id="luma", linked_at=0)
                )
        assert len(await found(world, "alice@example.com", "1")) == 1
        await seal_all(world)
        assert await clear_count(world) == 0
    finally:
        await world.close()


async def test_an_odd_google_id_is_no_google_id(sql_world: SqlWorld) -> None:
    """The event with the right one finds the link by its address, and the worker tells it."""
    await lift_rules(sql_world)
    await sql_world.add_platform("luma")
    await sql_world.insert_clear_links(link("alice@example.com", "luma", "1.05942E+11"))
    one: DisconnectEvent = event()
    for _ in range(2):
        (candidates,) = await sql_world.worker.events.links([one])
        assert [found.platform_id for found in candidates] == ["luma"]
        await seal_all(sql_world)
    await sql_world.worker.events.register([intent(one)])
