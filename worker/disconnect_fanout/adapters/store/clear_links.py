"""Links that the owner's own SQL wrote in clear: sealed within seconds, a batch at a time."""

from typing import Any

from sqlalchemy import Row, bindparam, select, update

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.sealed_link import SealedLinks
from disconnect_fanout.adapters.store.tables import clear, links

_MOST_AT_ONCE = 500
_USER = ("user_hash", "google_hash", "sealed", "email", "google_id")
_SEAL = (
    update(links)
    .where(links.c.id == bindparam("row"))
    .values({name: bindparam(f"_{name}") for name in _USER})
)


class ClearLinks:
    """``flow.housekeeping.Chore``: seals them where they are; their numbers stay."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._after = 0
        self._links = SealedLinks(database, seals)

    async def do_some(self) -> int:
        """Seal some links; return how many, 0 when none is left that can be sealed.

        A row that somebody else is changing, or that can't be opened, is left for the next time.
        """
        while (sealed := await self._page()) == 0:
            pass
        return sealed or 0

    async def _page(self) -> int | None:
        """Seal what can be sealed of the next rows; None at the end, and then begin anew."""
        some = select(links).where(clear, links.c.id > self._after).order_by(links.c.id)
        async with self._database.intend() as connection:
            found = await connection.execute(
                some.limit(_MOST_AT_ONCE).with_for_update(skip_locked=True)
            )
            rows = found.all()
            sealed = [one for row in rows if (one := self._sealed(row)) is not None]
            if sealed:
                await connection.execute(_SEAL, sealed)
        self._after = rows[-1].id if rows else 0
        return len(sealed) if rows else None

    def _sealed(self, row: Row[Any]) -> dict[str, Any] | None:
        """Return the row's new values; None if what is sealed in it can't be opened."""
        try:
            link = self._links.open(row)
        except Unsealable:
            return None
        user = self._links.user_columns(link.email.casefold(), link.google_id)
        return {"row": row.id, **{f"_{name}": value for name, value in user.items()}}
