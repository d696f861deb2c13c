"""Links at rest: who is linked is sealed, and found again by keyed hashes.

A row that the owner's own SQL wrote is clear until a worker has sealed it (``plaintext_links``),
and is found by its clear columns until then, however they are spelled (``seals.spelling``).
"""

import asyncio
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Row, Select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.links.plaintext_search import (
    ODD,
    key,
    keys_of,
    link_columns,
    written,
)
from disconnect_fanout.adapters.store.links.row import instant_of, platform_of, provider_of
from disconnect_fanout.adapters.store.links.search import LinkSearch, is_folded
from disconnect_fanout.adapters.store.links.unopened import NO_ADDRESS, unknown_account
from disconnect_fanout.adapters.store.rows.by_value import probe
from disconnect_fanout.adapters.store.schema.tables import (
    clear_email,
    clear_google_id,
    links,
    spelled,
)
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.spelling import Spelling, hash_columns
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.domain.bad_row import BadRow, RowKind
from disconnect_fanout.domain.google_id import is_google_id
from disconnect_fanout.domain.instant import to_s
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.mailbox import mailbox, readable

NO_GOOGLE_ID = "not digits"
"""In place of the hash of what was stored as a Google id and can't be one."""

_MOST_ROWS = 1000
"""More are compared in a thread: whoever waits for an answer of a platform must not wait for us."""


class SealedLinks:
    """Finds, opens and seals rows of ``links``."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals

    async def find(
        self,
        connection: AsyncConnection,
        emails: Collection[str],
        google_ids: Collection[str] = (),
    ) -> dict[int, Link]:
        """Return the links of these addresses or google ids, by row, with one query.

        A value that was asked for is known by its hash; only what was not is decrypted. Among them
        are folded links that may be theirs (see ``Link``); two spellings of a mailbox are one. Of
        a link that can't be opened something stands in for what is not known (``links.unopened``).

        One that can't be read is left out, and said.
        """
        if not emails and not google_ids:
            return {}
        search = LinkSearch(self._seals, emails, google_ids)
        rows = (await connection.execute(self.look_up(search))).all()
        if len(rows) > _MOST_ROWS:  # odd ones, not sealed yet
            return await asyncio.to_thread(self._opened, rows, search)
        return self._opened(rows, search)

    async def numbers(self, connection: AsyncConnection, email: str) -> list[int]:
        """Return the rows of a mailbox, those that can't be read among them.

        Not those that may be another's (``Link.folded``).
        """
        search, box = LinkSearch(self._seals, [email]), mailbox(email)
        rows = (await connection.execute(self.look_up(search))).all()
        theirs = {row.id: row for row in rows if search.may_have(row)}
        return sorted(one for one, row in theirs.items() if self._box(row, search) == box)

    def read(self, row: Row[Any], search: LinkSearch | None = None) -> Link | None:
        """Return the link of a row; None if it can't be read, which is said.

        Raises:
            Unsealable: it was sealed with a key that is not configured.
        """
        try:
            return self.open(row, search)
        except UnreadableRow as error:
            self._database.set_aside.note(BadRow(RowKind.LINKS, str(row.id), str(error)))
            return None

    def look_up(self, search: LinkSearch) -> CompoundSelect[Any]:
        """Return the query for at least one of these: their rows, and odd ones besides.

        Each leg is a look-up on one index; an OR would tempt a planner to read the whole table.
        """
        legs: list[Select[Any]] = []
        if search.boxes:
            legs += [
                self._leg(links.c.user_hash, search.user_hashes),
                self._leg(links.c.mailbox_hash, search.mailbox_hashes, spelled),
                self._leg(key(self._database, "email"), keys_of(search.boxes), clear_email),
            ]
        if search.google_hashes:
            keys = [*search.google_hashes.values(), ODD]
            legs += [
                self._leg(links.c.google_hash, search.google_hashes),
                self._leg(key(self._database, "google_id"), keys, clear_google_id),
            ]
        return union_all(*legs)

    def open(self, row: Row[Any], search: LinkSearch | None = None) -> Link:
        """Return the link of a row.

        Args:
            row: with all of ``link_columns``.
            search: what was asked for, which then need not be decrypted; something stands in for
                what is not known of a link that can't be opened.

        Raises:
            Unsealable: it can't be opened, and nothing was asked for.
            UnreadableRow: a column does not hold what it should.
        """
        email, google_id = self.user(row, search)
        return Link(
            email=email,
            platform_id=platform_of(row.platform_id),
            linked_at=instant_of("linked_at", row.linked_at),
            unlinked_at=_maybe_instant("unlinked_at", row.unlinked_at),
            google_id=google_id,
            provider=provider_of(row.provider),
            folded=_is_folded(row),
            latest_start=_maybe_instant("latest_start", row.latest_start),
        )

    def user_columns(self, link: Link) -> dict[str, Any]:
        """Return what says who is linked: sealed and hashed, nothing clear."""
        return self._user_columns(link.email, link.google_id, folded=link.folded)

    def columns(self, link: Link) -> dict[str, Any]:
        """Return a whole row but for its number."""
        return {
            **self.user_columns(link),
            "provider": None if link.provider is None else link.provider.value,
            "platform_id": link.platform_id,
            "linked_at": to_s(link.linked_at),
            "unlinked_at": _maybe_to_s(link.unlinked_at),
            "latest_start": _maybe_to_s(link.latest_start),
        }

    def sealed_columns(self, row: Row[Any]) -> dict[str, Any]:
        """Return the columns that say who a row is about, sealed, whatever else is wrong with it.

        Raises:
            Unsealable: it was sealed with a key that is not configured.
            UnreadableRow: what is sealed is no user.
        """
        email, google_id = self.user(row)
        return self._user_columns(email, google_id, folded=_is_folded(row))

    def _user_columns(self, email: str, google_id: str | None, *, folded: bool) -> dict[str, Any]:
        spelling = Spelling.FOLDED if folded else Spelling.EXACT
        return {
            **hash_columns(self._seals, readable(email), spelling),
            "google_hash": self._google_hash(google_id),
            "sealed": self._seals.seal_user(email, google_id),
            "email": None,
            "google_id": None,
        }

    def _google_hash(self, google_id: str | None) -> str | None:
        """What is no Google id is kept, and never found: its link is its address's."""
        if google_id is None:
            return None
        return self._seals.text_hash(google_id) if is_google_id(google_id) else NO_GOOGLE_ID

    def _opened(self, rows: Iterable[Row[Any]], search: LinkSearch) -> dict[int, Link]:
        theirs = ((row.id, self.read(row, search)) for row in rows if search.may_have(row))
        return {row: link for row, link in theirs if link is not None and search.wants(link)}

    def _box(self, row: Row[Any], search: LinkSearch) -> str | None:
        try:
            return self.user(row, search)[0]
        except UnreadableRow:
            return None

    def user(self, row: Row[Any], search: LinkSearch | None = None) -> tuple[str, str | None]:
        """Return who a row is about, whatever else is wrong with it.

        What is clear is newer than what is sealed: the owner wrote it since.

        Raises:
            Unsealable: it can't be opened, and nothing was asked for.
            UnreadableRow: what is sealed is no user, and nothing was asked for.
        """
        email, google_id = written(row)
        if row.sealed is None:
            return email or "", google_id
        if search is not None:
            email = email or search.box(row)
            google_id = google_id or search.google_hashes.get(row.google_hash)
        if email is not None and (google_id is not None or row.google_hash is None):
            return email, google_id
        try:
            sealed_email, sealed_google_id = self._seals.open_user(row.sealed)
        except (Unsealable, UnreadableRow):
            if search is None:
                raise
            return email or NO_ADDRESS, google_id or _stand_in(row)
        return email or mailbox(sealed_email), google_id or sealed_google_id

    def _leg(
        self, column: ColumnElement[Any], values: Collection[str], *where: ColumnElement[bool]
    ) -> Select[Any]:
        return probe(self._database, link_columns(self._database), column, values, *where)


def _is_folded(row: Row[Any]) -> bool:
    return row.sealed is not None and written(row)[0] is None and is_folded(row)


def _stand_in(row: Row[Any]) -> str | None:
    """What was no Google id counts as none still."""
    if row.google_hash in {None, NO_GOOGLE_ID}:
        return None
    return unknown_account(row.google_hash)


def _maybe_instant(column: str, value: object) -> datetime | None:
    return None if value is None else instant_of(column, value)


def _maybe_to_s(instant: datetime | None) -> int | None:
    return None if instant is None else to_s(instant)
