"""Links that events open and close: ``flow.links.store.LinkStore`` on SQLite and PostgreSQL."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import and_, bindparam, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.events.added_recipients import add_recipients
from disconnect_fanout.adapters.store.links.candidates import find_links
from disconnect_fanout.adapters.store.managed_links.inserter import ConnectInserter
from disconnect_fanout.adapters.store.outage_retry import LONGEST_RETRY_S, Sleep, retrying
from disconnect_fanout.adapters.store.schema.tables import events, google_known, links
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.opened_events import open_events
from disconnect_fanout.domain.event import DisconnectEvent, User
from disconnect_fanout.domain.instant import to_s
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.domain.old_spelling import old_spellings
from disconnect_fanout.flow.intent import Registration
from disconnect_fanout.flow.links.store import Opening, Owed

_Answer = TypeVar("_Answer")
_END = (
    update(links)
    .where(
        links.c.id == bindparam("_row"),
        or_(links.c.unlinked_at.is_(None), links.c.unlinked_at > bindparam("_at")),
    )
    .values(unlinked_at=bindparam("_at"))
)


class SqlLinkStore:
    """Writes what connects and disconnects say about links.

    Args:
        retry_for_s: how long an outage is waited for before it is reported.
        sleep: waits between two tries in an outage.
    """

    def __init__(
        self,
        database: Database,
        seals: Seals,
        *,
        retry_for_s: float = LONGEST_RETRY_S,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._database = database
        self._seals = seals
        self._inserter = ConnectInserter(database, seals)
        self._retry_for_s = retry_for_s
        self._sleep = sleep

    async def open(self, openings: Sequence[Opening]) -> Sequence[Registration]:
        """Insert those events that are new, each with its link unless that very link is there."""
        return await self._patiently(partial(self._inserter.open, openings))

    async def of_users(self, users: Sequence[User]) -> Sequence[Mapping[int, Link]]:
        """Return the links of each user's address or google id, by row."""
        if not users:
            return []
        return await self._patiently(partial(find_links, self._database, self._seals, users))

    async def disconnects(self, users: Sequence[User]) -> Sequence[Sequence[DisconnectEvent]]:
        """Return the recorded disconnects of each user's address or google id."""
        if not users:
            return []
        return await self._patiently(partial(self._disconnects, users))

    async def settle(self, ends: Mapping[int, datetime], owed: Collection[Owed]) -> Sequence[Owed]:
        """End links, by row, unless they end earlier; add deliveries that are not there yet."""
        return await self._patiently(partial(self._settle, ends, owed))

    async def _disconnects(self, users: Sequence[User]) -> Sequence[Sequence[DisconnectEvent]]:
        texts = {one for user in users for one in (user.mailbox, *old_spellings(user.email))}
        boxes = {self._seals.text_hash(user.mailbox) for user in users}
        accounts = {self._seals.text_hash(one.google_id) for one in users if one.google_id}
        legs = (
            events.c.user_hash.in_({self._seals.user_hash(one) for one in texts}),
            and_(
                events.c.mailbox_hash.is_not(None),
                self._database.among(events.c.mailbox_hash, boxes),
            ),
            and_(google_known, self._database.among(events.c.google_hash, accounts)),
        )
        columns = (events.c.id, events.c.google_hash, events.c.sealed)
        wanted = union(*(select(*columns).where(leg) for leg in legs))
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
            opened = await open_events(connection, self._seals, [row.sealed for row in rows])
        return self._by_user(users, zip((row.google_hash for row in rows), opened, strict=True))

    def _by_user(
        self, users: Sequence[User], rows: Iterable[tuple[str | None, DisconnectEvent | None]]
    ) -> Sequence[Sequence[DisconnectEvent]]:
        """A hash brings namesakes along (``seals.spelling``), so what was sealed decides."""
        found: defaultdict[str, dict[str, DisconnectEvent]] = defaultdict(dict)
        for google_hash, event in rows:
            if event is None:  # damaged: nobody can say whom it concerns
                continue
            found[event.user.mailbox][event.id] = event
            if google_hash is not None:
                found[google_hash][event.id] = event
        none: dict[str, DisconnectEvent] = {}
        accounts = [one.google_id and self._seals.text_hash(one.google_id) for one in users]
        return [
            tuple({**found.get(user.mailbox, none), **found.get(account or "", none)}.values())
            for user, account in zip(users, accounts, strict=True)
        ]

    async def _settle(self, ends: Mapping[int, datetime], owed: Collection[Owed]) -> Sequence[Owed]:
        by_event: defaultdict[str, list[Owed]] = defaultdict(list)
        for one in owed:
            by_event[one.event_id].append(one)
        added: list[Owed] = []
        async with self._database.record() as connection:
            if ends:
                rows = [{"_row": row, "_at": to_s(at)} for row, at in sorted(ends.items())]
                await connection.execute(_END, rows)
            for event_id in sorted(by_event):
                added += await self._add(connection, event_id, by_event[event_id])
        return added

    async def _add(
        self, connection: AsyncConnection, event_id: str, owed: Sequence[Owed]
    ) -> Sequence[Owed]:
        recipients = [one.recipient for one in owed]
        try:
            new, _ = await add_recipients(
                connection, self._database, self._seals, event_id, recipients
            )
        except NotFound:  # pruned, or its user was forgotten: nobody is notified of it any more
            return ()
        return [one for one in owed if one.recipient in new]

    async def _patiently(self, call: Callable[[], Awaitable[_Answer]]) -> _Answer:
        return await retrying(call, self._retry_for_s, self._sleep)
