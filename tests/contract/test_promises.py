"""What is noted of a user and can't be told is found before a promise is made, not after it."""

import pytest
from sqlalchemy import func, select
from tests.harness.sql_world import SqlWorld
from tests.harness.store_world import LONG_AGO

from disconnect_fanout.adapters.broker.codec import decode_event, encode_event
from disconnect_fanout.adapters.store.api_tables import credentials, outbox
from disconnect_fanout.adapters.store.credential_book import CredentialBook
from disconnect_fanout.adapters.store.ended_connections import SqlConnections
from disconnect_fanout.adapters.store.link_book import LinkBook
from disconnect_fanout.adapters.store.outbox import SqlOutbox
from disconnect_fanout.domain.credential import Calendar, Credential
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
