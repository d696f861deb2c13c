"""Rows of older versions, looked at once each: which mailbox are they really of?

They are found before, while and after. All that changes is by which hash, and that nobody has to
open them any more to tell them from a namesake's (decision 0015).
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Row, Select, Table, bindparam, select, update

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.api_tables import credentials, outbox
from disconnect_fanout.adapters.store.schema.tables import events, links
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.spelling import Spelling
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.domain.mailbox import mailbox

_MOST_AT_ONCE = 200  # each is decrypted, and meanwhile this process does nothing else


@dataclass(frozen=True, slots=True)
class _Kind:
    """One table.

    Attributes:
        spelling: what is known of the addresses in it once they are looked at.
    """

    table: Table
    spelling: Spelling

    @property
    def key(self) -> Column[Any]:
        (key,) = self.table.primary_key.columns
        return key

    def after(self, key: Any) -> Select[Any]:  # noqa: ANN401 - a number, or the id of an event
        """Return the query for the next rows; its condition is word for word that of an index."""
        columns = self.table.c
        older = select(self.key.label("key"), columns.user_hash, columns.sealed).where(
            columns.spelling.is_(None), columns.user_hash.is_not(None)
        )
        further = older if key is None else older.where(self.key > key)
        return further.order_by(self.key).limit(_MOST_AT_ONCE).with_for_update(skip_locked=True)


_KINDS = (  # links first: they decide who is notified
    _Kind(links, Spelling.FOLDED),
    _Kind(credentials, Spelling.FOLDED),
    _Kind(outbox, Spelling.EXACT),
    _Kind(events, Spelling.EXACT),
)


class OlderRows:
    """``flow.housekeeping.PeriodicJob``.

    What can't be opened is passed over until the next pass, and holds nobody up; so is a row that
    somebody else is changing.
    """

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals
        self._left = list(_KINDS)
        self._after: Any = None

    async def do_some(self) -> int:
        """Look at some rows; return how many it could open, 0 at the end of the pass."""
        while self._left:
            seen = await self._page(self._left[0])
            if self._after is None:
                del self._left[0]
            if seen:
                return seen
        self._left = list(_KINDS)
        return 0

    async def _page(self, kind: _Kind) -> int:
        mark = update(kind.table).where(kind.key == bindparam("_key"))
        values = {"mailbox_hash": bindparam("_mailbox_hash"), "spelling": int(kind.spelling)}
        async with self._database.intend() as connection:
            rows = (await connection.execute(kind.after(self._after))).all()
            seen = [one for row in rows if (one := self._seen(kind, row)) is not None]
            if seen:
                await connection.execute(mark.values(values), seen)
        self._after = rows[-1].key if len(rows) == _MOST_AT_ONCE else None
        return len(seen)

    def _seen(self, kind: _Kind, row: Row[Any]) -> dict[str, Any] | None:
        """Return the row's key and mailbox; None if it can't be opened."""
        try:
            if kind.spelling is Spelling.EXACT:
                written = self._seals.open_event(row.sealed).user.email
            else:
                written, _ = self._seals.open_user(row.sealed)
        except (Unsealable, UnreadableRow):
            return None
        hashed = self._seals.text_hash(mailbox(written))
        known = row.user_hash.hex() if isinstance(row.user_hash, bytes) else row.user_hash
        return {"_key": row.key, "_mailbox_hash": None if hashed == known else hashed}
