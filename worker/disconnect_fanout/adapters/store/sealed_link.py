"""Links at rest: who is linked is sealed, and found again by keyed hashes.

A row that the owner's own SQL wrote is clear until a worker has sealed it (``clear_links``), and is
found by its clear columns until then.
"""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Row, Select, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.instant import from_s, maybe_from_s, to_s
from disconnect_fanout.adapters.store.link_search import LinkSearch, is_folded
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.spelling import Spelling, hash_columns
from disconnect_fanout.adapters.store.tables import clear_email, clear_google_id, links
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.mailbox import mailbox, readable


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
        are folded links that may be theirs (see ``Link``); two spellings of a mailbox are one.

        Raises:
            Unsealable: a link was sealed with a key that is not configured.
        """
        search = LinkSearch(self._seals, emails, google_ids)
        legs = [
            *self._legs("user_hash", search.user_hashes, "email", search.emails),
            *self._legs("google_hash", search.google_hashes, "google_id", google_ids),
        ]
        if not legs:
            return {}
        if search.mailbox_hashes:
            spelled = self._database.among(links.c.mailbox_hash, search.mailbox_hashes)
            legs.append(select(links).where(links.c.mailbox_hash.is_not(None), spelled))
        rows = await connection.execute(union_all(*legs))
        found = {row.id: self.open(row, search) for row in rows}
        return {row: link for row, link in found.items() if search.wants(link)}

    def open(self, row: Row[Any], search: LinkSearch | None = None) -> Link:
        """Return the link of a row.

        Args:
            row: of ``links``, complete.
            search: what was asked for, which then need not be decrypted.

        Raises:
            Unsealable: it was sealed with a key that is not configured.
        """
        email, google_id = self._user(row, search or LinkSearch(self._seals))
        return Link(
            email=email,
            platform_id=row.platform_id,
            linked_at=from_s(row.linked_at),
            unlinked_at=maybe_from_s(row.unlinked_at),
            google_id=google_id,
            provider=None if row.provider is None else Provider(row.provider),
            folded=row.email is None and is_folded(row),
        )

    def user_columns(self, link: Link) -> dict[str, Any]:
        """Return what says who is linked: sealed and hashed, nothing clear."""
        google_id, spelling = link.google_id, Spelling.FOLDED if link.folded else Spelling.EXACT
        return {
            **hash_columns(self._seals, readable(link.email), spelling),
            "google_hash": None if google_id is None else self._seals.text_hash(google_id),
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
            "unlinked_at": None if link.unlinked_at is None else to_s(link.unlinked_at),
        }

    def _user(self, row: Row[Any], search: LinkSearch) -> tuple[str, str | None]:
        """What is clear is newer than what is sealed: the owner wrote it since."""
        email = mailbox(row.email) if row.email else search.box(row)
        google_id = row.google_id or search.google_hashes.get(row.google_hash)
        if email is not None and (google_id is not None or row.google_hash is None):
            return email, google_id
        sealed_email, sealed_google_id = self._seals.open_user(row.sealed)
        return email or mailbox(sealed_email), google_id or sealed_google_id

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
