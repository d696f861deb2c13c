"""The end of a connection: links, credentials and the promise to tell of it, in one transaction."""

import uuid
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_events.identifier import is_email
from disconnect_fanout.adapters.broker.codec import decode_event, encode_event
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.http_api.credentials import CredentialBook
from disconnect_fanout.adapters.store.http_api.outbox import SqlOutbox
from disconnect_fanout.adapters.store.http_api.remembered_answer import RememberedAnswers
from disconnect_fanout.adapters.store.links.seals import SealedLinks
from disconnect_fanout.adapters.store.links.unopened import was_opened
from disconnect_fanout.adapters.store.schema.api_tables import credentials
from disconnect_fanout.adapters.store.schema.tables import links
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.secret_keys import require_keys
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.domain.credential import Calendar, Credential
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.instant import from_s
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.mailbox import mailbox, readable
from disconnect_fanout.flow.disconnection import (
    Ended,
    Memo,
    NotConnected,
    Outcome,
    Reused,
    Unpublishable,
)
from disconnect_fanout.policy.http_api.disconnection import Disconnection, agreed_account, events_of

_ANY = frozenset({None, *Provider})


class SqlConnections:
    """``flow.disconnection.Connections`` on SQLite and PostgreSQL."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals
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
            email,
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
        address = readable(mailbox(email))
        at = await self._now(connection)
        theirs = (
            self._credentials.of_user(email),
            credentials.c.type == Calendar.GOOGLE.credential_type,
        )
        known = await self._known_accounts(connection, *theirs)
        found, google_id = await self._candidates(connection, email, known, at, _ANY)
        open_links = await self._locked(connection, found)
        if platform_id not in {link.platform_id for link in open_links.values()}:
            return NotConnected()
        with suppress(UnreadableRow):  # deleted all the same
            await self._credentials.take(connection, *theirs)
        ended = await self._end(connection, email, google_id, open_links, at)
        what = Disconnection(address, google_id, ended, Provider.GOOGLE, at, platform_id)
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
        found, google_id = await self._candidates(
            connection, credential.email, [credential.google_id], at, {None, provider}
        )
        open_links = await self._locked(connection, found)
        ended = await self._end(connection, credential.email, google_id, open_links, at)
        what = Disconnection(readable(credential.email), google_id, ended, provider, at, None)
        await self._promise(connection, what)
        return credential

    async def _known_accounts(
        self, connection: AsyncConnection, *theirs: ColumnElement[bool]
    ) -> list[str | None]:
        """Return the ids that a user's credentials name; none if they can't be read."""
        try:
            return [one.google_id for one in await self._credentials.find(connection, *theirs)]
        except UnreadableRow:  # the address finds all links
            return []

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

    async def _candidates(
        self,
        connection: AsyncConnection,
        email: str,
        google_ids: Iterable[str | None],
        at: datetime,
        providers: Collection[Provider | None],
    ) -> tuple[dict[int, Link], str | None]:
        """Return the links that hold of a person, and the Google account that is theirs.

        An event about a Google calendar tells who is linked under the address *or* the account;
        all that it tells must end, or the next request would tell them again.
        """

        def holding(found: dict[int, Link]) -> dict[int, Link]:
            return {
                row: link
                for row, link in found.items()
                if link.unlinked_at is None and link.linked_at <= at and link.provider in providers
            }

        theirs = holding(await self._links.find(connection, [email]))
        await self._require_opened(connection, theirs)
        known = [link.google_id for link in theirs.values() if was_opened(link)]
        google_id = agreed_account([*google_ids, *known])
        if google_id is not None and Provider.GOOGLE in providers:
            theirs |= holding(await self._links.find(connection, [], [google_id]))
        return theirs, google_id

    async def _require_opened(self, connection: AsyncConnection, found: dict[int, Link]) -> None:
        """What nobody can open is the operator's trouble; what another can open is ours alone.

        Of an account that is not known here others may be linked under another address.

        Raises:
            SecretKeyMissing: a key in use is not here.
        """
        if not all(map(was_opened, found.values())):
            await require_keys(connection, self._seals)

    async def _locked(self, connection: AsyncConnection, found: dict[int, Link]) -> dict[int, Link]:
        """Return the links that still hold, locked: of two requests at once one finds none."""
        held = select(links.c.id).where(links.c.id.in_(found), links.c.unlinked_at.is_(None))
        rows = await connection.execute(held.order_by(links.c.id).with_for_update())
        return {row: found[row] for row in rows.scalars()}

    async def _end(
        self,
        connection: AsyncConnection,
        email: str,
        google_id: str | None,
        open_links: dict[int, Link],
        at: datetime,
    ) -> list[Link]:
        """End those that are the user's. One that may be another's stays; it is notified even so.

        The event finds it: see ``Link.folded``.
        """
        box = mailbox(email)
        theirs = {
            row: one
            for row, one in open_links.items()
            if one.email == box or (google_id is not None and one.google_id == google_id)
        }
        ended = update(links).where(links.c.id.in_(theirs))
        await connection.execute(ended.values(unlinked_at=int(at.timestamp())))
        return list(theirs.values())

    async def _now(self, connection: AsyncConnection) -> datetime:
        """The database's clock, in whole seconds: the instant at which all of it ends."""
        now_ms = (await connection.execute(select(self._database.now_ms))).scalar_one()
        return from_s(now_ms // 1000)


def _new_id() -> str:
    return f"evt_{uuid.uuid4().hex}"
