"""What is noted of a user and can't be told is found before a promise is made, not after it."""

from contextlib import suppress

import pytest
from sqlalchemy import func, select
from tests.harness.store.row_rules import insert_row, lift_rules
from tests.harness.store.sql_world import SqlWorld
from tests.harness.store.world import LONG_AGO

from disconnect_fanout.adapters.broker.codec import decode_event, encode_event
from disconnect_fanout.adapters.store.http_api.credentials import CredentialBook
from disconnect_fanout.adapters.store.http_api.ended_connections import SqlConnections
from disconnect_fanout.adapters.store.http_api.outbox import SqlOutbox
from disconnect_fanout.adapters.store.links.book import LinkBook
from disconnect_fanout.adapters.store.schema.api_tables import credentials, outbox
from disconnect_fanout.adapters.store.schema.tables import links
from disconnect_fanout.domain.credential import Calendar, Credential
from disconnect_fanout.domain.event import User
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.disconnection import Ended, Unpublishable

ALICE = "alice@example.com"
NO_IDS = ["1.05942E+11", "105942374304.0", "'105942374306", "people/1"]


async def note(world: SqlWorld, email: str, google_id: str | None) -> None:
    """Note a link and a credential, as it was possible before anybody looked at them."""
    link = Link(email, "plat_luma", LONG_AGO, google_id=google_id)
    await LinkBook(world.database, world.seals).write([link])
    one = Credential(10, "google_calendar", 7, email, google_id, None, "google-calendar")
    await CredentialBook(world.database, world.seals).write([one])


@pytest.mark.parametrize("google_id", NO_IDS)
async def test_what_is_no_google_id_is_not_promised(sql_world: SqlWorld, google_id: str) -> None:
    """The user is told of by their address, which finds all links; both ways of ending it."""
    connections = SqlConnections(sql_world.database, sql_world.seals)
    await note(sql_world, ALICE, google_id)
    assert await connections.end_user(ALICE, "plat_luma", None) == Ended()
    await note(sql_world, ALICE, google_id)
    assert isinstance(await connections.end_credential(10, Calendar.GOOGLE, 7, None), Credential)
    promises = await SqlOutbox(sql_world.database, sql_world.seals).take(10, 1.0)
    assert len(promises) == 2
    for promise in promises:
        assert promise.event.user.google_id is None
        assert decode_event(encode_event(promise.event), None) == promise.event


@pytest.mark.parametrize("email", [f"<{ALICE}>", f"{ALICE},", f"mailto:{ALICE}", "a" * 320 + "@x"])
async def test_what_is_no_address_is_refused_before_the_promise(
    sql_world: SqlWorld, email: str
) -> None:
    """The credential stays, nothing is promised, and whoever asked is told."""
    connections = SqlConnections(sql_world.database, sql_world.seals)
    await note(sql_world, email, "1")
    with pytest.raises(Unpublishable):
        await connections.end_credential(10, Calendar.GOOGLE, 7, None)
    async with sql_world.database.read() as connection:
        for table, count in ((credentials, 1), (outbox, 0)):
            found = await connection.execute(select(func.count()).select_from(table))
            assert found.scalar_one() == count


@pytest.mark.parametrize("platform_id", ["plat luma", "", "p" * 129])
async def test_a_platform_that_can_t_be_named_is_not_promised(
    sql_world: SqlWorld, platform_id: str
) -> None:
    """Such a link is set aside: the request ends the others, and their event can be published."""
    await lift_rules(sql_world)
    clear = {"email": ALICE, "linked_at": 0, "provider": "apple"}
    await insert_row(sql_world, links, clear | {"platform_id": "plat_luma"})
    if sql_world.database.sqlite or len(platform_id) <= 128:
        await insert_row(sql_world, links, clear | {"platform_id": platform_id})
    connections = SqlConnections(sql_world.database, sql_world.seals)
    assert await connections.end_user(ALICE, "plat_luma", None) == Ended()
    promises = await SqlOutbox(sql_world.database, sql_world.seals).take(10, 1.0)
    assert [one.event.platform_ids for one in promises] == [None, ("plat_luma",)]


async def test_an_address_that_grows_when_it_is_compared_is_promised_or_refused(
    sql_world: SqlWorld,
) -> None:
    """The very encoder and model judge before the commit: no promise is made that can't be kept.

    Full case folding makes 462 characters of these 162; an event holds 320.
    """
    email = "\u0390" * 150 + "@example.com"
    await LinkBook(sql_world.database, sql_world.seals).write(
        [Link(User(email, None).mailbox, "plat_luma", LONG_AGO)]
    )
    connections = SqlConnections(sql_world.database, sql_world.seals)
    with suppress(Unpublishable):
        await connections.end_user(email, "plat_luma", None)
    async with sql_world.database.read() as connection:
        ended = (await connection.execute(select(links.c.unlinked_at))).scalar_one()
    promises = await SqlOutbox(sql_world.database, sql_world.seals).take(10, 1.0)
    assert len(promises) == (0 if ended is None else 1)
    for promise in promises:
        assert decode_event(encode_event(promise.event), None) == promise.event
