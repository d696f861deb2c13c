"""New links against those that are stored: saying the same thing twice changes nothing.

An upstream may add a link again, import yesterday's file again, import a file in which a link that
was open yesterday has ended, or the true history of a link that was added today. Two entries are
the same connection when mailbox, platform and provider agree; google ids agree when one of them is
unknown. Of a connection an interval is known by its start, or by the latest start that was said of
it while it was open (decision 0016). An open one of which an earlier start is said has that start.
No link is ever lost here: an end that was said of another start ends nothing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from disconnect_fanout.domain.google_id import account
from disconnect_fanout.domain.link import Link


@dataclass(slots=True)
class _Entry:
    row: int | None
    link: Link
    before: Link | None = None

    def put(self, link: Link) -> Link:
        """Note what the link has become."""
        self.link = link
        return link


class LinkMerge:
    """Takes links one by one and tells what has to be written.

    Args:
        stored: what is stored about the users concerned, with the row's number.
        anew: an open link is a new one even if an ended one began in the same second; a file that
            is imported again must not open what has ended since, a person who adds a link means it.
    """

    def __init__(self, stored: Iterable[tuple[int, Link]], *, anew: bool) -> None:
        self._anew = anew
        self._entries: defaultdict[str, list[_Entry]] = defaultdict(list)
        for row, link in stored:
            self._entries[link.email].append(_Entry(row, link, link))

    def take(self, link: Link) -> Link:
        """Merge one, and return the link as it will be stored."""
        entry = self._same(link)
        if entry is None:
            return self._add(link)
        known = account(entry.link.google_id) or link.google_id or entry.link.google_id
        before = replace(entry.link, google_id=known)
        if before.unlinked_at is not None:
            return entry.put(before)
        if link.unlinked_at is None:
            return entry.put(_widened(before, link.linked_at))
        if link.unlinked_at < _latest(before):  # it ended, and was made again
            self._add(replace(before, linked_at=_latest(before), latest_start=None))
            before = replace(before, latest_start=None)
        return entry.put(replace(before, unlinked_at=link.unlinked_at))

    @property
    def new(self) -> list[Link]:
        """Links to insert."""
        return [entry.link for entry in self._all() if entry.row is None]

    @property
    def touched(self) -> list[tuple[int, Link]]:
        """Rows to update, with what they become."""
        return [
            (entry.row, entry.link)
            for entry in self._all()
            if entry.row is not None
            and entry.before is not None
            and _whole(entry.link) != _whole(entry.before)
        ]

    @property
    def changed(self) -> int:
        """How many stored links say something else now than before."""
        return sum(entry.before is not None and entry.link != entry.before for entry in self._all())

    def _same(self, link: Link) -> _Entry | None:
        """Return the entry of the same interval; rather one of exactly this Google id and start."""
        found = [one for one in self._entries[link.email] if _same_connection(one.link, link)]
        found.sort(key=lambda one: _distance(one.link, link))
        reopens = self._anew and link.unlinked_at is None
        for entry in found:
            known = link.linked_at in {entry.link.linked_at, entry.link.latest_start}
            if known and not (reopens and entry.link.unlinked_at is not None):
                return entry
        if link.unlinked_at is not None:
            return None
        return next((one for one in found if one.link.unlinked_at is None), None)

    def _add(self, link: Link) -> Link:
        self._entries[link.email].append(_Entry(None, link))
        return link

    def _all(self) -> Iterable[_Entry]:
        return (entry for entries in self._entries.values() for entry in entries)


def _widened(known: Link, start: datetime) -> Link:
    """Return an open link of which another start was said."""
    earliest, latest = min(known.linked_at, start), max(_latest(known), start)
    return replace(known, linked_at=earliest, latest_start=latest if latest > earliest else None)


def _distance(known: Link, link: Link) -> tuple[bool, bool]:
    return known.google_id != link.google_id, known.linked_at != link.linked_at


def _latest(link: Link) -> datetime:
    return link.latest_start or link.linked_at


def _whole(link: Link) -> tuple[Link, datetime | None]:
    return link, link.latest_start


def _same_connection(stored: Link, link: Link) -> bool:
    if stored.platform_id != link.platform_id or stored.provider is not link.provider:
        return False
    known = {account(stored.google_id), account(link.google_id)} - {None}
    return len(known) <= 1
