"""Links that events open and close, in memory."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tests.harness.fakes.store import may_count, new_row
from tests.harness.fakes.tables import FakeTables

from disconnect_fanout.domain.event import DisconnectEvent, User
from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.intent import PlannedDelivery, Registration
from disconnect_fanout.flow.links.store import Opening, Owed
from disconnect_fanout.policy.link_lifetime import same_start


class FakeLinkStore:
    """``flow.links.store.LinkStore``; in an outage it raises at once."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables

    async def open(self, openings: Sequence[Opening]) -> Sequence[Registration]:
        """Insert those events that are new, each with its link unless that very link is there."""
        self._tables.reach()
        return [self._open(one) for one in openings]

    async def of_users(self, users: Sequence[User]) -> Sequence[Mapping[int, Link]]:
        """Return the links of each user's address or google id, by row."""
        self._tables.reach()
        rows = list(enumerate(self._tables.links))
        return [{row: link for row, link in rows if may_count(link, user)} for user in users]

    async def disconnects(self, users: Sequence[User]) -> Sequence[Sequence[DisconnectEvent]]:
        """Return the recorded disconnects of each user's address or google id."""
        self._tables.reach()
        recorded = [one.event for one in self._tables.events.values()]
        return [[one for one in recorded if _same(one.user, user)] for user in users]

    async def settle(self, ends: Mapping[int, datetime], owed: Collection[Owed]) -> Sequence[Owed]:
        """End links, by row, unless they end earlier; add deliveries that are not there yet."""
        self._tables.reach()
        for row, at in ends.items():
            link = self._tables.links[row]
            self._tables.links[row] = replace(link, unlinked_at=min(at, link.unlinked_at or at))
        added = [one for one in owed if self._is_missing(one)]
        counts: defaultdict[str, int] = defaultdict(int)
        for one in added:
            counts[one.event_id] += 1
        for event_id, count in counts.items():
            self._tables.events[event_id].recipients += count
        self._tables.save(
            new_row(one.event_id, _planned(one), self._tables.now_ms) for one in added
        )
        return added

    def _open(self, one: Opening) -> Registration:
        if (known := self._tables.connects.get(one.event.id)) is not None:
            return Registration.KNOWN if known[0] == one.content_hash else Registration.CONFLICT
        self._tables.connects[one.event.id] = (one.content_hash, self._tables.now_ms)
        if not any(same_start(link, one.link) for link in self._tables.links):
            self._tables.links.append(one.link)
        return Registration.NEW

    def _is_missing(self, one: Owed) -> bool:
        return (
            one.event_id in self._tables.events
            and delivery_id(one.event_id, one.recipient.platform_id) not in self._tables.deliveries
        )


def _planned(one: Owed) -> PlannedDelivery:
    name = delivery_id(one.event_id, one.recipient.platform_id)
    return PlannedDelivery(name, one.recipient.platform_id, dead=one.recipient.dead)


def _same(one: User, other: User) -> bool:
    same_google_id = one.google_id is not None and one.google_id == other.google_id
    return one.mailbox == other.mailbox or same_google_id
