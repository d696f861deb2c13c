"""Links at rest: who is linked is sealed, and found again by keyed hashes.

A row that the owner's own SQL wrote is clear until a worker has sealed it (``clear_links``), and is
found by its clear columns until then, however they are spelled (``spelling``).
"""

import asyncio
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Row, Select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.clear_spelling import (
    ODD,
    key,
    keys_of,
    link_columns,
    written,
)
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.instant import from_s, to_s
from disconnect_fanout.adapters.store.link_search import LinkSearch, is_folded
from disconnect_fanout.adapters.store.probe import probe
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.spelling import Spelling, hash_columns
from disconnect_fanout.adapters.store.tables import clear_email, clear_google_id, links, spelled
from disconnect_fanout.adapters.store.unopened_link import NO_ACCOUNT, NO_ADDRESS
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.google_id import is_google_id
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.mailbox import mailbox, readable

NO_GOOGLE_ID = "not digits"
"""In place of the hash of what was stored as a Google id and can't be one."""

_MOST_ROWS = 1000
"""More are compared in a thread: whoever waits for an answer of a platform must not wait for us."""
_EARLIEST_S = to_s(datetime.min.replace(tzinfo=UTC))
_LATEST_S = to_s(datetime.max.replace(tzinfo=UTC))


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
        a link that can't be opened something stands in for what is not known (``unopened_link``).
        """
        if not emails and not google_ids:
            return {}
        search = LinkSearch(self._seals, emails, google_ids)
        rows = (await connection.execute(self.look_up(search))).all()
        if len(rows) > _MOST_ROWS:  # odd ones, not sealed yet
            return await asyncio.to_thread(self._opened, rows, search)
        return self._opened(rows, search)

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
        """
        email, google_id = self._user(row, search)
        return Link(
            email=email,
            platform_id=row.platform_id,
            linked_at=_instant(row.linked_at),
            unlinked_at=None if row.unlinked_at is None else _instant(row.unlinked_at),
            google_id=google_id,
            provider=_provider(row.provider),
            folded=row.sealed is not None and written(row)[0] is None and is_folded(row),
            latest_start=None if row.latest_start is None else _instant(row.latest_start),
        )

    def user_columns(self, link: Link) -> dict[str, Any]:
        """Return what says who is linked: sealed and hashed, nothing clear."""
        google_id, spelling = link.google_id, Spelling.FOLDED if link.folded else Spelling.EXACT
        return {
            **hash_columns(self._seals, readable(link.email), spelling),
            "google_hash": self._google_hash(google_id),
            "sealed": self._seals.seal_user(link.email, google_id),
            "email": None,
            "google_id": None,
        }

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

    def _google_hash(self, google_id: str | None) -> str | None:
        """What is no Google id is kept, and never found: its link is its address's."""
        if google_id is None:
            return None
        return self._seals.text_hash(google_id) if is_google_id(google_id) else NO_GOOGLE_ID

    def _opened(self, rows: Iterable[Row[Any]], search: LinkSearch) -> dict[int, Link]:
        found = {row.id: self.open(row, search) for row in rows if search.may_have(row)}
        return {row: link for row, link in found.items() if search.wants(link)}

    def _user(self, row: Row[Any], search: LinkSearch | None) -> tuple[str, str | None]:
        """What is clear is newer than what is sealed: the owner wrote it since."""
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
        except Unsealable:
            if search is None:
                raise
            return email or NO_ADDRESS, google_id or _stand_in(row)
        return email or mailbox(sealed_email), google_id or sealed_google_id

    def _leg(
        self, column: ColumnElement[Any], values: Collection[str], *where: ColumnElement[bool]
    ) -> Select[Any]:
        return probe(self._database, link_columns(self._database), column, values, *where)


def _stand_in(row: Row[Any]) -> str | None:
    """What was no Google id counts as none still."""
    return None if row.google_hash in {None, NO_GOOGLE_ID} else NO_ACCOUNT


def _provider(text: str | None) -> Provider | None:
    """The owner's SQL may write what it likes; a provider that nobody knows restricts nothing."""
    try:
        return None if text is None else Provider(text.strip().lower())
    except ValueError:
        return None


def _instant(seconds: int) -> datetime:
    """What no calendar has (milliseconds, by mistake) is as late as can be."""
    return from_s(min(max(seconds, _EARLIEST_S), _LATEST_S))


def _maybe_to_s(instant: datetime | None) -> int | None:
    return None if instant is None else to_s(instant)
