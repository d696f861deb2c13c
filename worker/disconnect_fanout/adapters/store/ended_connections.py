"""The end of a connection: links, credentials and the promise to tell of it, in one transaction."""

import uuid
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from functools import partial

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_events.identifier import is_email
from disconnect_fanout.adapters.broker.codec import decode_event, encode_event
from disconnect_fanout.adapters.store.api_tables import credentials
from disconnect_fanout.adapters.store.credential_book import CredentialBook
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.instant import from_s
from disconnect_fanout.adapters.store.outbox import SqlOutbox
from disconnect_fanout.adapters.store.remembered_answer import RememberedAnswers
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.sealed_link import SealedLinks
from disconnect_fanout.adapters.store.tables import links
from disconnect_fanout.adapters.store.unreadable_row import UnreadableRow
from disconnect_fanout.domain.credential import Calendar, Credential
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.disconnection import (
    Ended,
    Memo,
    NotConnected,
    Outcome,
    Reused,
    Unpublishable,
)
from disconnect_fanout.policy.disconnection import Disconnection, events_of

_ANY = frozenset({None, *Provider})


class SqlConnections:
    """``flow.disconnection.Connections`` on SQLite and PostgreSQL."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._links = SealedLinks(database, seals)
        self._credentials = CredentialBook(database, seals)
        self._outbox = SqlOutbox(database, seals)
        self._answers = RememberedAnswers(database, seals)

    async def end_user(
        self, email: str, platform_id: str, memo: Memo | None
    ) -> Ended | NotConnected | Reused:
        """End all links of a user, if the platform has one, and delete their Google credentials."""
        outcome = await self._once(
            memo,
            lambda connection: self._end_user(connection, email, platform_id),
            email.casefold(),
        )
        assert not isinstance(outcome, Credential)  # noqa: S101 - a memo knows its request
        return outcome

    async def end_credential(
        self, number: int, calendar: Calendar, user_id: int, memo: Memo | None
    ) -> Credential | NotConnected | Reused:
        """Delete a user's credential and end their links of that provider."""
        outcome = await self._once(memo, partial(self._end_credential, number, calendar, user_id))
        assert not isinstance(outcome, Ended)  # noqa: S101 - a memo knows its request
        return outcome

    async def _once(
        self,
        memo: Memo | None,
        work: Callable[[AsyncConnection], Awaitable[Outcome]],
        email: str | None = None,
    ) -> Outcome:
        """Do the work and remember its outcome, or return what is remembered."""
        async with self._database.record() as connection:
            known = await self._answers.before(connection, memo)
            if known is not None:
                return known
            outcome = await work(connection)
            whose = outcome.email if isinstance(outcome, Credential) else email
            await self._answers.remember(connection, memo, outcome, whose)
            return outcome

    async def _end_user(
        self, connection: AsyncConnection, email: str, platform_id: str
    ) -> Ended | NotConnected:
        folded = email.casefold()
        at = await self._now(connection)
        open_links = await self._open_links(connection, folded, at, _ANY)
        if platform_id not in {link.platform_id for link in open_links.values()}:
            return NotConnected()
        google_id = await self._google_id(connection, folded)
        ended = await self._end(connection, open_links, at)
        what = Disconnection(folded, google_id, ended, Provider.GOOGLE, at, platform_id)
        await self._promise(connection, what)
        return Ended()

    async def _end_credential(
        self, number: int, calendar: Calendar, user_id: int, connection: AsyncConnection
    ) -> Credential | NotConnected:
        try:
            gone = await self._credentials.take(
                connection,
                credentials.c.id == number,
                credentials.c.user_id == user_id,
                credentials.c.type == calendar.credential_type,
            )
        except UnreadableRow:  # nobody knows whose it is; ends the transaction
            raise Unpublishable from None
        if not gone:
            return NotConnected()
        (credential,) = gone
        if not is_email(credential.email):  # noted before that was looked at; ends the transaction
            raise Unpublishable
        at, provider = await self._now(connection), calendar.provider
        open_links = await self._open_links(connection, credential.email, at, {None, provider})
        ended = await self._end(connection, open_links, at)
        what = Disconnection(credential.email, credential.google_id, ended, provider, at, None)
        await self._promise(connection, what)
        return credential

    async def _google_id(self, connection: AsyncConnection, email: str) -> str | None:
        """Delete a user's Google credentials; return the id that they name, if they can be read."""
        try:
            gone = await self._credentials.take(
                connection,
                self._credentials.of_user(email),
                credentials.c.type == Calendar.GOOGLE.credential_type,
            )
        except UnreadableRow:  # deleted all the same; the address finds all links
            return None
        return next((one.google_id for one in gone if one.google_id), None)

    async def _promise(self, connection: AsyncConnection, what: Disconnection) -> None:
        """Promise to tell of it, if that can be said at all; else the transaction ends.

        Raises:
            Unpublishable: no worker would take the event.
        """
        events = events_of(what, _new_id)
        for event in events:
            if decode_event(encode_event(event), "application/json") != event:
                raise Unpublishable
        await self._outbox.put(connection, events)

    async def _open_links(
        self,
        connection: AsyncConnection,
        email: str,
        at: datetime,
        providers: Collection[Provider | None],
    ) -> dict[int, Link]:
        """Return the links that hold, locked: of two requests at once the second finds none."""
        found = await self._links.find(connection, [email])
        held = select(links.c.id).where(links.c.id.in_(found), links.c.unlinked_at.is_(None))
        rows = await connection.execute(held.order_by(links.c.id).with_for_update())
        return {
            row: found[row]
            for row in rows.scalars()
            if found[row].linked_at <= at and found[row].provider in providers
        }

    async def _end(
        self, connection: AsyncConnection, open_links: dict[int, Link], at: datetime
    ) -> list[Link]:
        ended = update(links).where(links.c.id.in_(open_links))
        await connection.execute(ended.values(unlinked_at=int(at.timestamp())))
        return list(open_links.values())

    async def _now(self, connection: AsyncConnection) -> datetime:
        """The database's clock, in whole seconds: the instant at which all of it ends."""
        now_ms = (await connection.execute(select(self._database.now_ms))).scalar_one()
        return from_s(now_ms // 1000)


def _new_id() -> str:
    return f"evt_{uuid.uuid4().hex}"
