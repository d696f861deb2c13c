"""Whose links are looked for, and whose a found row is, by its hashes alone (decision 0015)."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Row

from disconnect_fanout.adapters.store.links.plaintext_search import written as clearly_written
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.spelling import Spelling
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.mailbox import mailbox
from disconnect_fanout.domain.old_spelling import folds, old_spellings


class LinkSearch:
    """Addresses, as anybody wrote them, and Google ids.

    Attributes:
        boxes: their mailboxes.
        user_hashes: what may stand in that column; likewise ``mailbox_hashes`` and the others.
    """

    def __init__(
        self, seals: Seals, emails: Iterable[str] = (), google_ids: Collection[str] = ()
    ) -> None:
        self.boxes = set[str]()
        self._folds = set[str]()
        older = set[str]()
        for one in emails:
            box = mailbox(one)
            self.boxes.add(box)
            self._folds |= folds(box)
            older |= old_spellings(one)
        hashes = {one: seals.text_hash(one) for one in self.boxes | older | self._folds}
        self._box_of = {hashes[one]: one for one in self.boxes | self._folds}
        self._box_of_older = {hashes[one]: mailbox(one) for one in older}
        self.user_hashes = self._box_of.keys() | self._box_of_older.keys()
        self.mailbox_hashes = self._box_of.keys()
        self.google_ids = google_ids
        self.google_hashes = {seals.text_hash(one): one for one in google_ids}

    def may_have(self, row: Row[Any]) -> bool:
        """Tell whether a row may be one of theirs: by what is clear or, where nothing is, by hash.

        What is clear is newer: a row whose address the owner has changed is no longer found by the
        one that was sealed.
        """
        email, google_id = clearly_written(row)
        by_hash = row.user_hash in self.user_hashes or row.mailbox_hash in self.mailbox_hashes
        if by_hash if email is None else email in self.boxes:
            return True
        if google_id is None:
            return row.google_hash in self.google_hashes
        return google_id in self.google_ids

    def box(self, row: Row[Any]) -> str | None:
        """Return the mailbox of a sealed row, if it is one of these."""
        if row.spelling is None:
            return self._box_of_older.get(row.user_hash)
        return self._box_of.get(row.mailbox_hash or row.user_hash)

    def wants(self, link: Link) -> bool:
        """Tell whether the link is, or may be, of one of them; a hash alone may be a namesake's."""
        return (
            link.email in self.boxes
            or (link.folded and link.email in self._folds)
            or link.google_id in self.google_ids
        )


def is_folded(row: Row[Any]) -> bool:
    """Tell whether a sealed row's address has lost its spelling."""
    return row.spelling is None or row.spelling == Spelling.FOLDED
