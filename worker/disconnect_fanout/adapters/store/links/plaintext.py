"""Links that the owner's own SQL wrote in clear: sealed within seconds, a batch at a time."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.links.plaintext_search import ODD, key, link_columns
from disconnect_fanout.adapters.store.links.seals import SealedLinks
from disconnect_fanout.adapters.store.links.search import LinkSearch
from disconnect_fanout.adapters.store.schema.tables import clear, clear_email, links
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.secret_keys import note_key
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow

_MOST_AT_ONCE = 500
_BEFORE_ALL = -(2**63)
_USER = ("user_hash", "mailbox_hash", "spelling", "google_hash", "sealed", "email", "google_id")
_SEAL = (
    update(links)
    .where(links.c.id == bindparam("row"))
    .values({name: bindparam(f"_{name}") for name in _USER})
)


@dataclass(slots=True)
class _Walk:
    """Which links are gone through, by which order, and where it has come to."""

    which: tuple[ColumnElement[bool], ...]
    by: ColumnElement[int]
    after: int = 0


class PlaintextLinks:
    """``flow.housekeeping.PeriodicJob``: seals them where they are; their numbers stay."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals
        self._links = SealedLinks(database, seals)
        # Ordered by no bare column: that index has all that is clear, and few of them are odd.
        self._odd = _Walk((clear_email, key(database, "email") == ODD), links.c.id + 0)
        self._any = _Walk((clear,), links.c.id)

    async def do_some(self) -> int:
        """Seal some links; return how many, 0 when none is left that can be sealed.

        Odd ones first, because every look-up reads them. A row that somebody else is changing, or
        that can't be opened, is left for the next time.
        """
        return await self._some(self._odd) or await self._some(self._any)

    async def seal_over(self, email: str) -> None:
        """Seal rows over which another address was written, so that nothing of this one is left."""
        search, among = LinkSearch(self._seals, [email]), self._database.among
        theirs = or_(
            among(links.c.user_hash, search.user_hashes),
            among(links.c.mailbox_hash, search.mailbox_hashes),
        )
        walk = _Walk((theirs, clear_email), links.c.id)
        async with self._database.record() as connection:
            await note_key(connection, self._database, self._seals.fingerprints[0])
            while await self._page(connection, walk) is not None:
                pass

    async def _some(self, walk: _Walk) -> int:
        """Seal what can be sealed of the next rows; 0 at the end, and then it begins anew."""
        sealed: int | None = 0
        while sealed == 0:  # a page of nothing but damaged rows holds up nobody
            async with self._database.intend() as connection:
                sealed = await self._page(connection, walk)
        return sealed or 0

    async def _page(self, connection: AsyncConnection, walk: _Walk) -> int | None:
        """Seal a page; return how many, None if there was no row."""
        some = select(*link_columns(self._database)).where(*walk.which, walk.by > walk.after)
        page = some.order_by(walk.by).limit(_MOST_AT_ONCE).with_for_update(skip_locked=True)
        rows = (await connection.execute(page)).all()
        sealed = [one for row in rows if (one := self._sealed(row)) is not None]
        if sealed:
            await connection.execute(_SEAL, sealed)
        walk.after = rows[-1].id if rows else 0
        return len(sealed) if rows else None

    def _sealed(self, row: Row[Any]) -> dict[str, Any] | None:
        """Return the row's new values; None if what is sealed in it can't be opened."""
        try:
            user = self._links.sealed_columns(row)
        except (Unsealable, UnreadableRow):
            return None
        return {"row": row.id, **{f"_{name}": value for name, value in user.items()}}
