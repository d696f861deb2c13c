"""Whose links are looked for, and whose a found row is, by its hashes alone (decision 0015)."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Row

from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.spelling import Spelling
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.mailbox import mailbox
from disconnect_fanout.domain.old_spelling import folds, old_spellings


class LinkSearch:
    """Addresses, as anybody wrote them, and Google ids.

    Attributes:
        emails: what the owner's SQL may have written.
        user_hashes: what may stand in that column; likewise ``mailbox_hashes`` and the others.
    """

    def __init__(
        self, seals: Seals, emails: Iterable[str] = (), google_ids: Collection[str] = ()
    ) -> None:
        self._boxes = set[str]()
        self._folds = set[str]()
        older = set[str]()
        for one in emails:
            box = mailbox(one)
            self._boxes.add(box)
            self._folds |= folds(box)
            older |= old_spellings(one)
        self.emails = self._boxes | older
        hashes = {one: seals.text_hash(one) for one in self.emails | self._folds}
        self._box_of = {hashes[one]: one for one in self._boxes | self._folds}
        self._box_of_older = {hashes[one]: mailbox(one) for one in older}
        self.user_hashes = self._box_of.keys() | self._box_of_older.keys()
        self.mailbox_hashes = self._box_of.keys()
        self.google_ids = google_ids
        self.google_hashes = {seals.text_hash(one): one for one in google_ids}

    def box(self, row: Row[Any]) -> str | None:
        """Return the mailbox of a sealed row, if it is one of these."""
        if row.spelling is None:
            return self._box_of_older.get(row.user_hash)
        return self._box_of.get(row.mailbox_hash or row.user_hash)

    def wants(self, link: Link) -> bool:
        """Tell whether the link is, or may be, of one of them; a hash alone may be a namesake's."""
        return (
            link.email in self._boxes
            or (link.folded and link.email in self._folds)
            or link.google_id in self.google_ids
        )


def is_folded(row: Row[Any]) -> bool:
    """Tell whether a sealed row's address has lost its spelling."""
    return row.spelling is None or row.spelling == Spelling.FOLDED
