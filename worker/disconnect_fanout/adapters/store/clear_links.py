"""Links that the owner's own SQL wrote in clear: sealed within seconds, a batch at a time."""

from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.clear_spelling import ODD, key, link_columns
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.link_search import LinkSearch
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.sealed_link import SealedLinks
from disconnect_fanout.adapters.store.tables import clear, clear_email, links
from disconnect_fanout.adapters.store.unreadable_row import UnreadableRow

_MOST_AT_ONCE = 500
_BEFORE_ALL = -(2**63)
_USER = ("user_hash", "mailbox_hash", "spelling", "google_hash", "sealed", "email", "google_id")
_SEAL = (
    update(links)
    .where(links.c.id == bindparam("row"))
    .values({name: bindparam(f"_{name}") for name in _USER})
)


class ClearLinks:
    """``flow.housekeeping.Chore``: seals them where they are; their numbers stay."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals
        self._links = SealedLinks(database, seals)
        self._is_odd = key(database, "email") == ODD
        self._passed = _BEFORE_ALL

    async def do_some(self) -> int:
        """Seal some links; return how many, 0 when none is left.

        Odd ones first, because every look-up reads them. A row that somebody else is changing is
        left for the next time.
        """
        async with self._database.intend() as connection:
            if count := await self._seal(connection, clear_email, self._is_odd):
                return count
        while True:
            sealed, seen = await self._some()
            if sealed or not seen:
                return sealed

    async def seal_over(self, email: str) -> None:
        """Seal rows over which another address was written, so that nothing of this one is left."""
        search, among = LinkSearch(self._seals, [email]), self._database.among
        theirs = or_(
            among(links.c.user_hash, search.user_hashes),
            among(links.c.mailbox_hash, search.mailbox_hashes),
        )
        async with self._database.record() as connection:
            while await self._seal(connection, theirs, clear_email):
                pass

    async def _some(self) -> tuple[int, int]:
        """Return how many were sealed, and how many were looked at.

        What could not be sealed is passed by until the walk begins anew: a heap of it must not
        keep what comes behind it clear.
        """
        some = select(*link_columns(self._database)).where(clear, links.c.id > self._passed)
        some = some.order_by(links.c.id).limit(_MOST_AT_ONCE)
        async with self._database.intend() as connection:
            rows = (await connection.execute(some.with_for_update(skip_locked=True))).all()
            sealed = [one for row in rows if (one := self._sealed(row)) is not None]
            if sealed:
                await connection.execute(_SEAL, sealed)
        self._passed = rows[-1].id if rows and len(sealed) < len(rows) else self._passed
        if not rows:
            self._passed = _BEFORE_ALL
        return len(sealed), len(rows)

    async def _seal(self, connection: AsyncConnection, *which: ColumnElement[bool]) -> int:
        some = select(*link_columns(self._database)).where(*which).limit(_MOST_AT_ONCE)
        rows = await connection.execute(some.with_for_update(skip_locked=True))
        sealed = [one for row in rows if (one := self._sealed(row)) is not None]
        if sealed:
            await connection.execute(_SEAL, sealed)
        return len(sealed)

    def _sealed(self, row: Row[Any]) -> dict[str, Any] | None:
        """Return the row's new values; None if what is sealed in it can't be opened."""
        try:
            user = self._links.sealed_columns(row)
        except (Unsealable, UnreadableRow):
            return None
        return {"row": row.id, **{f"_{name}": value for name, value in user.items()}}
