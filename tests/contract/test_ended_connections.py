"""The contract of ``flow.disconnection.Connections``: what ends is told, and what is told ends."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from tests.contract.test_secret_keys import DAMAGED, rotated
from tests.harness.store.examples import link
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.events.store import SqlEventStore
from disconnect_fanout.adapters.store.http_api.credentials import CredentialBook
from disconnect_fanout.adapters.store.http_api.ended_connections import SqlConnections
from disconnect_fanout.adapters.store.links.seals import SealedLinks
from disconnect_fanout.adapters.store.schema.api_tables import outbox
from disconnect_fanout.adapters.store.schema.tables import links
from disconnect_fanout.domain.credential import Calendar, Credential
from disconnect_fanout.domain.event import DisconnectEvent, Provider
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.disconnection import Ended, NotConnected
from disconnect_fanout.flow.outage import SecretKeyMissing
from disconnect_fanout.policy.plan import plan

MINE, OLD = "alice@example.com", "alice@old.example"
ACCOUNT, ANOTHER = "1059", "2000"


@dataclass(frozen=True)
class Case:
    """Links of a person and others; which of their platforms end, for each of the operations."""

    links: Sequence[Link]
    user: set[str]
    credential: set[str]
    account: str | None = ACCOUNT


def of(link_: Link, provider: Provider) -> Link:
    """Return the same link of one provider."""
    return replace(link_, provider=provider)


CASES = {
    "the account, under another address": Case(
        [link(MINE, "boardy"), link(OLD, "luma", ACCOUNT)],
        user={"boardy", "luma"}, credential={"boardy", "luma"},
    ),
    "the account that only a link knows": Case(
        [link(MINE, "boardy", ACCOUNT), link(OLD, "luma", ACCOUNT)],
        user={"boardy", "luma"}, credential={"boardy", "luma"}, account=None,
    ),
    "another account under the old address": Case(
        [link(MINE, "boardy"), link(OLD, "luma", ANOTHER), link(OLD, "cal")],
        user={"boardy"}, credential={"boardy"},
    ),
    "two accounts under one address: only the address can find all": Case(
        [link(MINE, "boardy", ANOTHER), link(OLD, "luma", ACCOUNT), link(OLD, "cal", ANOTHER)],
        user={"boardy"}, credential={"boardy"},
    ),
    "of the account, by provider": Case(
        [
            of(link(MINE, "boardy"), Provider.GOOGLE),
            of(link(OLD, "luma", ACCOUNT), Provider.GOOGLE),
            of(link(OLD, "cal", ACCOUNT), Provider.OFFICE365),
        ],
        user={"boardy", "luma", "cal"}, credential={"boardy", "luma"},
    ),
    "the caller is linked under the other address": Case(
        [link(OLD, "boardy", ACCOUNT), link(MINE, "luma")],
        user={"boardy", "luma"}, credential={"boardy", "luma"},
    ),
}  # fmt: skip


@pytest.fixture(params=CASES)
async def case(request: pytest.FixtureRequest, sql_world: SqlWorld) -> Case:
    """The case, stored."""
    found = CASES[request.param]
    await sql_world.add_links(*found.links)
    mine = Credential(10, Calendar.GOOGLE.credential_type, 7, MINE, found.account)
    await CredentialBook(sql_world.database, sql_world.seals).write([mine])
    return found


def connections(world: SqlWorld) -> SqlConnections:
    """Return the store that is tried."""
    return SqlConnections(world.database, world.seals)


async def ended(world: SqlWorld) -> set[str]:
    """Return the platforms of links that have ended."""
    async with world.database.read() as connection:
        gone = select(links.c.platform_id).where(links.c.unlinked_at.is_not(None))
        return set((await connection.execute(gone)).scalars())


async def promised(world: SqlWorld) -> list[DisconnectEvent]:
    """Return the events in the outbox, in their order."""
    async with world.database.read() as connection:
        rows = await connection.execute(select(outbox.c.sealed).order_by(outbox.c.number))
        return [world.seals.open_event(one) for one in rows.scalars()]


async def told(world: SqlWorld) -> set[str]:
    """Return whom the promised events tell, by the rule of the fan-out."""
    events = await promised(world)
    found = await SqlEventStore(world.database, world.seals).links(events)
    return {
        one.platform_id
        for event, candidates in zip(events, found, strict=True)
        for one in plan(event, candidates, {}, timedelta(seconds=2))
    }


async def test_a_users_links_that_are_told_are_those_that_end(
    sql_world: SqlWorld, case: Case
) -> None:
    """By address or account, whichever the event finds them by; the next call finds nothing."""
    assert await connections(sql_world).end_user(MINE, "boardy", None) == Ended()
    assert await ended(sql_world) == await told(sql_world) == case.user
    before = len(await promised(sql_world))
    for caller in ("boardy", "luma", "cal"):
        if caller in case.user:
            answer = await connections(sql_world).end_user(MINE, caller, None)
            assert answer == NotConnected()
    assert len(await promised(sql_world)) == before


async def test_a_credentials_links_that_are_told_are_those_that_end(
    sql_world: SqlWorld, case: Case
) -> None:
    """The same for a disconnect by credential, within its provider."""
    answer = await connections(sql_world).end_credential(10, Calendar.GOOGLE, 7, None)
    assert isinstance(answer, Credential)
    assert await ended(sql_world) == await told(sql_world) == case.credential


async def test_a_stranger_under_the_account_is_not_ended_by_an_apple_calendar(
    sql_world: SqlWorld,
) -> None:
    """An event about another provider's calendar names no account, so only the address counts."""
    await sql_world.add_links(link(MINE, "boardy"), link(OLD, "luma", ACCOUNT))
    mine = Credential(11, Calendar.APPLE.credential_type, 7, MINE, ACCOUNT)
    await CredentialBook(sql_world.database, sql_world.seals).write([mine])
    await connections(sql_world).end_credential(11, Calendar.APPLE, 7, None)
    assert await ended(sql_world) == await told(sql_world) == {"boardy"}


async def test_a_refused_request_changes_nothing(sql_world: SqlWorld) -> None:
    """The caller has no link: the user's credential and the others' links stay."""
    await sql_world.add_links(link(MINE, "luma"), link(OLD, "cal", ACCOUNT))
    book = CredentialBook(sql_world.database, sql_world.seals)
    await book.write([Credential(10, Calendar.GOOGLE.credential_type, 7, MINE, ACCOUNT)])
    assert await connections(sql_world).end_user(MINE, "boardy", None) == NotConnected()
    assert await ended(sql_world) == set()
    assert len(await book.all(10)) == 1


async def test_links_that_the_owner_wrote_in_clear_end_too(sql_world: SqlWorld) -> None:
    """Also those that are found by their account, before a worker has sealed them."""
    await sql_world.insert_clear_links(link(MINE, "boardy", ACCOUNT), link(OLD, "luma", ACCOUNT))
    await connections(sql_world).end_user(MINE, "boardy", None)
    assert await ended(sql_world) == await told(sql_world) == {"boardy", "luma"}
    sealed = SealedLinks(sql_world.database, sql_world.seals)
    async with sql_world.database.read() as connection:
        found = await sealed.find(connection, [], [ACCOUNT])
    assert len({one.unlinked_at for one in found.values()}) == 1


async def test_a_link_that_another_process_can_open_is_not_ended_unheard(
    sql_world: SqlWorld,
) -> None:
    """It was sealed with a key that is not here: of its account others may be linked.

    Fails before: it ended, and an event with an invented account was promised.
    """
    stranger = await rotated(sql_world)
    await sql_world.add_links(link(MINE, "boardy", ACCOUNT))
    async with sql_world.database.record() as connection:
        sealed = stranger.seal_user(MINE, ACCOUNT)
        await connection.execute(update(links).values(sealed=sealed))
    with pytest.raises(SecretKeyMissing):
        await connections(sql_world).end_user(MINE, "boardy", None)
    assert await ended(sql_world) == set()
    assert await promised(sql_world) == []


async def test_a_link_that_nobody_can_open_ends_by_its_address(sql_world: SqlWorld) -> None:
    """The event names the address alone, never what stands in for the account."""
    await sql_world.add_links(link(MINE, "boardy", ACCOUNT))
    async with sql_world.database.record() as connection:
        await connection.execute(update(links).values(sealed=DAMAGED))
    assert await connections(sql_world).end_user(MINE, "boardy", None) == Ended()
    assert [one.user.google_id for one in await promised(sql_world)] == [None]
    assert await told(sql_world) == {"boardy"}
