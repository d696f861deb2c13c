"""New links against those that are stored: saying the same thing twice changes nothing.

An upstream may add a link again, import yesterday's file again, or import a file in which a link
that was open yesterday has ended. Two entries are the same connection when user, platform and
provider agree; google ids agree when one of them is unknown.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from disconnect_fanout.domain.link import Link


@dataclass(slots=True)
class _Entry:
    row: int | None
    link: Link
    changed: bool = False


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
            self._entries[link.email].append(_Entry(row, link))

    def take(self, link: Link) -> Link:
        """Merge one, and return the link as it will be stored."""
        for entry in self._entries[link.email]:
            if _same_connection(entry.link, link) and self._same_interval(entry.link, link):
                merged = replace(
                    entry.link,
                    google_id=entry.link.google_id or link.google_id,
                    unlinked_at=entry.link.unlinked_at or link.unlinked_at,
                )
                entry.changed = entry.changed or merged != entry.link
                entry.link = merged
                return merged
        self._entries[link.email].append(_Entry(None, link))
        return link

    @property
    def new(self) -> list[Link]:
        """Links to insert."""
        return [entry.link for entry in self._all() if entry.row is None]

    @property
    def changed(self) -> list[tuple[int, Link]]:
        """Rows to update, with what they become."""
        return [
            (entry.row, entry.link)
            for entry in self._all()
            if entry.row is not None and entry.changed
        ]

    def _same_interval(self, stored: Link, link: Link) -> bool:
        """An interval is known by its start; an open one swallows the wish to open it again."""
        if link.unlinked_at is None and (self._anew or stored.unlinked_at is None):
            return stored.unlinked_at is None
        return stored.linked_at == link.linked_at

    def _all(self) -> Iterable[_Entry]:
        return (entry for entries in self._entries.values() for entry in entries)


def _same_connection(stored: Link, link: Link) -> bool:
    if stored.platform_id != link.platform_id or stored.provider is not link.provider:
        return False
    known = {stored.google_id, link.google_id} - {None}
    return len(known) <= 1
