"""Forgetting a person: their links go; events, deliveries and attempts stay, without them.

Which platform was notified of what remains true and counted; who it was about is no longer there.
It is done step by step in short transactions, and the events come last but for the links: whatever
cuts it short, the same command again finds what is left.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.links.plaintext import PlaintextLinks
from disconnect_fanout.adapters.store.links.seals import SealedLinks
from disconnect_fanout.adapters.store.privacy.amounts import PersonalData
from disconnect_fanout.adapters.store.privacy.personal_data import PersonalPapers
from disconnect_fanout.adapters.store.privacy.unhashed import Unattributed, UnhashedRows
from disconnect_fanout.adapters.store.rows.locked import lock_first, lock_named
from disconnect_fanout.adapters.store.rows.user_match import UserMatch, match_events
from disconnect_fanout.adapters.store.rows.written import write
from disconnect_fanout.adapters.store.schema.tables import (
    attempts,
    deliveries,
    events,
    links,
    waiting,
)
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.secret_keys import note_key, require_keys
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.event import forgotten
from disconnect_fanout.domain.identity import content_hash
from disconnect_fanout.policy.delivery_row import called_off, lapsed
from disconnect_fanout.policy.transition import Transition

_LARGEST_PAGE = 500
_DELIVERIES = 50  # with ten attempts each they are a page
_BECAUSE = "its user was forgotten"  # whatever the operator wrote may name them
_DEAD = deliveries.c.state == DeliveryState.DEAD.value
_DISCARDED = deliveries.c.state == DeliveryState.DISCARDED.value
_UNTOLD = or_(deliveries.c.state == DeliveryState.PENDING.value, waiting)
_LEASED = deliveries.c.lease.is_not(None)
_ANSWERED = or_(attempts.c.answer != "", attempts.c.sealed.is_not(None))
_EMPTY = (
    update(events)
    .where(events.c.id == bindparam("_id"))
    .values(
        sealed=bindparam("_sealed"),
        content_hash=bindparam("_content"),
        user_hash=None,
        mailbox_hash=None,
        google_hash=None,
    )
)
_Item = TypeVar("_Item")


class Forgetting:
    """Removes one person.

    Args:
        email: as anybody wrote it.
    """

    def __init__(self, database: Database, seals: Seals, email: str) -> None:
        self._database = database
        self._seals = seals
        self._links = SealedLinks(database, seals)
        self._unhashed = UnhashedRows(database, seals, email)
        self._papers = PersonalPapers(database, seals, email, self._unhashed)
        self._email = email

    async def found(self) -> PersonalData:
        """Count what there is."""
        theirs = await self._theirs()
        about_them = _about(theirs)
        recorded = select(func.count()).select_from(events).where(theirs.rows())
        totals = select(
            func.count(), func.count(case((_UNTOLD, 1))), func.count(case((_DEAD, 1)))
        ).where(about_them)
        answered = (
            select(func.count())
            .select_from(attempts.join(deliveries, deliveries.c.id == attempts.c.delivery_id))
            .where(about_them, _ANSWERED)
        )
        async with self._database.read() as connection:
            linked = len(await self._numbers(connection))
            known = (await connection.execute(recorded)).scalar_one()
            count, untold, dead = (await connection.execute(totals)).one()
            answers = (await connection.execute(answered)).scalar_one()
        records = (
            await self._papers.credentials(),
            await self._papers.promised(),
            await self._papers.remembered(),
        )
        return PersonalData(linked, known, count, answers, untold, dead, *records)

    async def under_way(self) -> int:
        """Return how many requests about them are being made at this moment."""
        now = self._database.now_ms
        about_them = _about(await self._theirs())
        leased = select(func.count()).where(about_them, _LEASED, deliveries.c.next_at > now)
        async with self._database.read() as connection:
            return int((await connection.execute(leased)).scalar_one())

    async def discard(self) -> int:
        """Discard what is untold and not under way; return how many deliveries that were.

        Their letters leave the queue by themselves: to the sweeper they are stale.
        """
        count = await self._papers.discard()
        while (page := await self._discard_page()) is not None:
            count += page
        return count

    async def remove(self) -> None:
        """Remove them from attempts, deliveries, events, links and credentials.

        Workers go on meanwhile. What one of them has in its hands of a delivery, it records without
        the answer, for the delivery is marked first; recipients that were added meanwhile are
        found in the end, by their events.

        Raises:
            SecretKeyMissing: an event is sealed with a key that is not here.
        """
        match = await self._theirs()
        theirs = _deliveries_of(_about(match))
        known = select(events.c.id).where(match.rows()).order_by(events.c.id)
        await PlaintextLinks(self._database, self._seals).seal_over(self._email)
        async with self._database.read() as connection:
            delivery_ids = list((await connection.execute(theirs)).scalars())
            event_ids = list((await connection.execute(known)).scalars())
            link_ids = await self._numbers(connection)
        await self._papers.remove()
        for page in _pages(delivery_ids, _DELIVERIES):
            await self._empty_deliveries(page)
        for page in _pages(event_ids, _LARGEST_PAGE):
            await self._empty_events(page)
            await self._empty_late(page)
        for rows in _pages(link_ids, _LARGEST_PAGE):
            async with self._database.record() as connection:
                await connection.execute(delete(links).where(links.c.id.in_(rows)))
        self._unhashed.again()

    async def unattributed(self) -> Sequence[Unattributed]:
        """Return what may be theirs and nobody can tell: without a hash, and not to be opened."""
        return await self._unhashed.unattributed()

    async def _theirs(self) -> UserMatch:
        found = await match_events(self._database, self._seals, self._email)
        lost = await self._unhashed.theirs(events)
        if not lost:
            return found
        return UserMatch(found.key, (*found.legs, self._database.among(events.c.id, lost)))

    async def _numbers(self, connection: AsyncConnection) -> Sequence[int]:
        lost = await self._unhashed.theirs(links)
        return sorted({*await self._links.numbers(connection, self._email), *lost})

    async def _discard_page(self) -> int | None:
        """Return how many were discarded; None when there was nothing to call off."""
        free = or_(~_LEASED, deliveries.c.next_at <= self._database.now_ms)
        about_them = _about(await self._theirs())
        async with self._database.record() as connection:
            rows = await lock_first(
                connection,
                self._database,
                about_them,
                and_(or_(_UNTOLD, _DEAD), free),
                order=deliveries.c.created_at,
                limit=_LARGEST_PAGE,
            )
            ended = [Transition(row, called_off(lapsed(row))) for row in rows]
            await write(connection, self._database, ended)
        return sum(not one.after.delivered for one in ended) if ended else None

    async def _empty_deliveries(self, ids: Sequence[str]) -> None:
        """Platforms answer what they like, and some repeat whom they were notified about."""
        named = self._database.among
        async with self._database.record() as connection:
            await lock_named(connection, self._database, ids)
            answers = update(attempts).where(named(attempts.c.delivery_id, ids))
            await connection.execute(answers.values(answer="", sealed=None))
            because = case((_DISCARDED, _BECAUSE))
            words = {"last_error": None, "because": because, "forgotten": True}
            marked = update(deliveries).where(named(deliveries.c.id, ids))
            await connection.execute(marked.values(words))

    async def _empty_late(self, event_ids: Sequence[str]) -> None:
        unmarked = deliveries.c.forgotten.is_(None)
        added = _deliveries_of(self._database.among(deliveries.c.event_id, event_ids), unmarked)
        async with self._database.read() as connection:
            ids = list((await connection.execute(added)).scalars())
        for page in _pages(ids, _DELIVERIES):
            await self._empty_deliveries(page)

    async def _empty_events(self, ids: Sequence[str]) -> None:
        """Seal what is left of each, and give up the hashes that could confirm a guess."""
        wanted = select(events.c.id, events.c.sealed).where(self._database.among(events.c.id, ids))
        async with self._database.record() as connection:
            rows = (await connection.execute(wanted.order_by(events.c.id).with_for_update())).all()
            left = [self._left(row.id, row.sealed) for row in rows]
            if any(not one["_sealed"] for one in left):
                await require_keys(connection, self._seals)
            await note_key(connection, self._database, self._seals.fingerprints[0])
            await connection.execute(_EMPTY, left)

    def _left(self, name: str, sealed: bytes) -> dict[str, Any]:
        """Return what an event keeps without its user: nothing, where it is damaged."""
        try:
            event = forgotten(self._seals.open_event(sealed))
        except (Unsealable, UnreadableRow):
            return {"_id": name, "_sealed": b"", "_content": self._seals.text_hash(name)}
        return {
            "_id": name,
            "_sealed": self._seals.seal_event(event),
            "_content": self._seals.text_hash(content_hash(event)),
        }


def _deliveries_of(*which: ColumnElement[bool]) -> Select[Any]:
    return select(deliveries.c.id).where(*which).order_by(deliveries.c.id)


def _about(theirs: UserMatch) -> ColumnElement[bool]:
    return deliveries.c.event_id.in_(theirs.keys())


def _pages(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
