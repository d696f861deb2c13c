"""Links at rest: who is linked is sealed, and found again by keyed hashes.

A row that the owner's own SQL wrote is clear until a worker has sealed it (``clear_links``), and is
found by its clear columns until then.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Row, Select, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.instant import from_s, maybe_from_s, to_s
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.tables import clear_email, clear_google_id, links
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.link import Link

_STAND_IN = "unreadable:"


def readable(link: Link) -> bool:
    """Tell whether a link that was found could be opened, and holds no stand-in."""
    return not (link.email.startswith(_STAND_IN) or (link.google_id or "").startswith(_STAND_IN))


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
        """Return the links of these case-folded addresses or google ids, by row, with one query.

        A value that was asked for is known by its hash; only what was not is decrypted. Where that
        fails, its hash stands in for it: it equals nothing that was asked for, so that whom a link
        is about is judged as if it had been opened, and nobody goes untold.
        """
        users = {self._seals.text_hash(one): one for one in emails}
        accounts = {self._seals.text_hash(one): one for one in google_ids}
        legs = [
            *self._legs("user_hash", users, "email", emails),
            *self._legs("google_hash", accounts, "google_id", google_ids),
        ]
        if not legs:
            return {}
        rows = await connection.execute(union_all(*legs))
        known = {**users, **accounts}
        return {row.id: self._found(row, known) for row in rows}

    def _found(self, row: Row[Any], known: Mapping[str, str]) -> Link:
        try:
            return self.open(row, known)
        except Unsealable:
            by_hash = {one: _STAND_IN + one for one in (row.user_hash, row.google_hash) if one}
            return self.open(row, {**by_hash, **known})

    def open(self, row: Row[Any], known: Mapping[str, str] | None = None) -> Link:
        """Return the link of a row.

        Args:
            row: of ``links``, complete.
            known: values by their hashes, which then need not be decrypted.

        Raises:
            Unsealable: it was sealed with a key that is not configured.
        """
        email, google_id = self._user(row, known or {})
        return Link(
            email=email,
            platform_id=row.platform_id,
            linked_at=from_s(row.linked_at),
            unlinked_at=maybe_from_s(row.unlinked_at),
            google_id=google_id,
            provider=None if row.provider is None else Provider(row.provider),
        )

    def user_columns(self, email: str, google_id: str | None) -> dict[str, Any]:
        """Return what says who is linked: sealed and hashed, nothing clear."""
        return {
            "user_hash": self._seals.text_hash(email),
            "google_hash": None if google_id is None else self._seals.text_hash(google_id),
            "sealed": self._seals.seal_user(email, google_id),
            "email": None,
            "google_id": None,
        }

    def columns(self, link: Link) -> dict[str, Any]:
        """Return a whole row but for its number."""
        return {
            **self.user_columns(link.email, link.google_id),
            "provider": None if link.provider is None else link.provider.value,
            "platform_id": link.platform_id,
            "linked_at": to_s(link.linked_at),
            "unlinked_at": None if link.unlinked_at is None else to_s(link.unlinked_at),
        }

    def _user(self, row: Row[Any], known: Mapping[str, str]) -> tuple[str, str | None]:
        """What is clear is newer than what is sealed: the owner wrote it since."""
        email = row.email or known.get(row.user_hash)
        google_id = row.google_id or known.get(row.google_hash)
        if email is not None and (google_id is not None or row.google_hash is None):
            return email, google_id
        sealed_email, sealed_google_id = self._seals.open_user(row.sealed)
        return email or sealed_email, google_id or sealed_google_id

    def _legs(
        self, hashed: str, hashes: Collection[str], clear: str, texts: Collection[str]
    ) -> Iterable[Select[Any]]:
        """Look-ups on one index each; an OR would tempt a planner to read the whole table."""
        if not texts:
            return ()
        written = clear_email if clear == "email" else clear_google_id
        return (
            select(links).where(self._database.among(links.c[hashed], hashes)),
            select(links).where(written, self._database.among(links.c[clear], texts)),
        )
