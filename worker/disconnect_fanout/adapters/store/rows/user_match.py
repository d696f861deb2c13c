"""The rows of one mailbox in a table that keeps it hashed, whichever version wrote them.

What this version wrote, or has looked at, is found by the mailbox's hash alone. What an older one
wrote is found by the few hashes that it may have, and belongs to the mailbox only if the sealed
address does: ``strasse@`` and ``straße@`` had one hash (decision 0015).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, CompoundSelect, String, Table, and_, select, union_all

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import events
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.opened_events import open_events
from disconnect_fanout.domain.mailbox import mailbox
from disconnect_fanout.domain.old_spelling import old_spellings


@dataclass(frozen=True, slots=True)
class UserMatch:
    """Which rows of one table are a mailbox's.

    Attributes:
        key: the table's primary key.
        legs: any of these conditions; each is a look-up in one index.
    """

    key: Column[Any]
    legs: tuple[ColumnElement[bool], ...]

    def keys(self) -> CompoundSelect[Any]:
        """Return the query for their keys; an OR would tempt a planner to read the whole table."""
        return union_all(*(select(self.key).where(leg) for leg in self.legs))

    def rows(self) -> ColumnElement[bool]:
        """Return the condition that they satisfy."""
        return self.key.in_(self.keys())


async def match_events(
    database: Database, seals: Seals, address: str, table: Table = events
) -> UserMatch:
    """Return the events of an address, in whatever spelling.

    Args:
        database: where the table is.
        seals: hash and open what is in it.
        address: as anybody wrote it.
        table: ``events``, or another one that seals events.

    Raises:
        SecretKeyMissing: one that may be theirs is sealed with a key that is not here.
    """
    key, box = _key(table), mailbox(address)
    maybe = select(key, table.c.sealed).where(_unseen(table, seals, old_spellings(address)))
    async with database.read() as connection:
        rows = (await connection.execute(maybe)).all()
        opened = await open_events(connection, seals, [row.sealed for row in rows])
    # A damaged one is whose hash it has: forgetting must reach it.
    older = [
        row[0]
        for row, event in zip(rows, opened, strict=True)
        if event is None or event.user.mailbox == box
    ]
    match = UserMatch(key, _seen(table, seals.text_hash(box)))
    if not older:
        return match
    named = database.among(key, older) if isinstance(key.type, String) else key.in_(older)
    return UserMatch(key, (*match.legs, named))


def match_unopened(table: Table, seals: Seals, address: str, texts: Collection[str]) -> UserMatch:
    """Return the rows of an address in a table of which nothing has to be opened.

    Args:
        table: has the columns of ``spelling``.
        seals: hash what is in it.
        address: as anybody wrote it.
        texts: whose hash makes a row of an older version theirs.
    """
    seen = _seen(table, seals.text_hash(mailbox(address)))
    return UserMatch(_key(table), (*seen, _unseen(table, seals, texts)))


def _seen(table: Table, hashed: str) -> tuple[ColumnElement[bool], ...]:
    columns = table.c
    own = and_(
        columns.user_hash == _stored(table, hashed),
        columns.mailbox_hash.is_(None),
        columns.spelling.is_not(None),
    )
    other = and_(
        columns.mailbox_hash.is_not(None),
        columns.mailbox_hash == hashed,
        columns.user_hash.is_not(None),  # else an older version has forgotten them
    )
    return own, other


def _unseen(table: Table, seals: Seals, texts: Collection[str]) -> ColumnElement[bool]:
    hashes = [_stored(table, seals.text_hash(one)) for one in sorted(texts)]
    return and_(table.c.spelling.is_(None), table.c.user_hash.in_(hashes))


def _key(table: Table) -> Column[Any]:
    (key,) = table.primary_key.columns
    return key


def _stored(table: Table, hashed: str) -> str | bytes:
    return bytes.fromhex(hashed) if table is events else hashed
