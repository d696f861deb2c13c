"""Links that the owner's own SQL wrote in clear: sealed within seconds, a batch at a time."""

from typing import Any

from sqlalchemy import Row, bindparam, select, update

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.sealed_link import SealedLinks
from disconnect_fanout.adapters.store.tables import clear, links

_MOST_AT_ONCE = 500
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
        self._links = SealedLinks(database, seals)

    async def do_some(self) -> int:
        """Seal some links; return how many, 0 when none is left.

        A row that somebody else is changing is left for the next time.
        """
        some = select(links).where(clear).order_by(links.c.id).limit(_MOST_AT_ONCE)
        async with self._database.intend() as connection:
            rows = await connection.execute(some.with_for_update(skip_locked=True))
            sealed = [one for row in rows if (one := self._sealed(row)) is not None]
            if sealed:
                await connection.execute(_SEAL, sealed)
        return len(sealed)

    def _sealed(self, row: Row[Any]) -> dict[str, Any] | None:
        """Return the row's new values; None if what is sealed in it can't be opened."""
        try:
            link = self._links.open(row)
        except Unsealable:
            return None
        user = self._links.user_columns(link)
        return {"row": row.id, **{f"_{name}": value for name, value in user.items()}}
