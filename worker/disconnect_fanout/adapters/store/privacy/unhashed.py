"""Rows whose user's hash is lost: whom they are about stands in what is sealed, and nowhere else.

Nobody finds them by a person; so whoever forgets one opens them all. They are few: what was
forgotten has no hash either, and is opened too, but names nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, false, func, or_, select

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.api_tables import credentials, outbox
from disconnect_fanout.adapters.store.schema.tables import events, links
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.secret_keys import require_keys
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.domain.mailbox import mailbox

_MOST_AT_ONCE = 500  # each is decrypted
_TABLES = (events, links, outbox, credentials)
_BYTES, _DIGITS = 16, 32  # of a hash, as bytes and in hexadecimal


@dataclass(frozen=True, slots=True)
class Unattributed:
    """Rows of one table that may be anybody's: they can't be opened either."""

    table: str
    count: int
    example: str


class UnhashedRows:
    """Those of one person; each table is read once, until ``again``.

    Args:
        email: as anybody wrote it.
    """

    def __init__(self, database: Database, seals: Seals, email: str) -> None:
        self._database = database
        self._seals = seals
        self._box = mailbox(email)
        self._read: dict[str, tuple[list[Any], list[Any]]] = {}

    def again(self) -> None:
        """Read them anew when they are asked for next."""
        self._read.clear()

    async def theirs(self, table: Table) -> Sequence[Any]:
        """Return the keys of their rows.

        Raises:
            SecretKeyMissing: one is sealed with a key that is not here.
        """
        return (await self._of(table))[0]

    async def which(self, table: Table) -> ColumnElement[bool]:
        """Return the condition that their rows satisfy."""
        keys = await self.theirs(table)
        return _key(table).in_(keys) if keys else false()

    async def unattributed(self) -> Sequence[Unattributed]:
        """Return what nobody can attribute, by table."""
        found = [(table.name, (await self._of(table))[1]) for table in _TABLES]
        return [Unattributed(name, len(keys), str(keys[0])) for name, keys in found if keys]

    async def _of(self, table: Table) -> tuple[list[Any], list[Any]]:
        if table.name not in self._read:
            self._read[table.name] = await self._walk(table)
        return self._read[table.name]

    async def _walk(self, table: Table) -> tuple[list[Any], list[Any]]:
        """Return the keys of theirs, and of those that can't be opened."""
        key = _key(table)
        wanted = select(key.label("key"), table.c.sealed).where(_unhashed(table)).order_by(key)
        theirs: list[Any] = []
        unknown: list[Any] = []
        further = wanted
        async with self._database.read() as connection:
            while page := (await connection.execute(further.limit(_MOST_AT_ONCE))).all():
                boxes = [(row.key, self._mailbox(table, row.sealed)) for row in page]
                theirs += [key_ for key_, box in boxes if box == self._box]
                unknown += [key_ for key_, box in boxes if box is None]
                further = wanted.where(key > page[-1].key)
            if unknown:
                await require_keys(connection, self._seals)
        return theirs, unknown

    def _mailbox(self, table: Table, sealed: bytes) -> str | None:
        try:
            if table in (events, outbox):
                return self._seals.open_event(sealed).user.mailbox
            return mailbox(self._seals.open_user(sealed)[0])
        except (Unsealable, UnreadableRow):
            return None


def _unhashed(table: Table) -> ColumnElement[bool]:
    """What is clear is found as it is; what holds nothing is about nobody."""
    size = _BYTES if table is events else _DIGITS
    lost = or_(table.c.user_hash.is_(None), func.length(table.c.user_hash) != size)
    clear = (table.c.email.is_(None),) if table is links else ()
    return and_(lost, func.length(table.c.sealed) > 0, *clear)


def _key(table: Table) -> Column[Any]:
    (key,) = table.primary_key.columns
    return key
