"""Sealing anew: everything that an old secret key sealed, so that the old key can go.

A page of rows in a transaction, while workers run: a value is replaced only if it is still the one
that was read, so nobody's change is lost. Cut short, the same command again finds what is left.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table, bindparam, func, select, tuple_, update

from disconnect_fanout.adapters.crypto.vault import Unsealable, Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.api_tables import answers, credentials, outbox
from disconnect_fanout.adapters.store.schema.tables import (
    attempts,
    events,
    installation,
    links,
    platforms,
)
from disconnect_fanout.adapters.store.seals.secret_keys import note_key

PAGE = 500
SEALED: tuple[Column[Any], ...] = (
    installation.c.lookup_key,
    platforms.c.secret,
    platforms.c.old_secret,
    credentials.c.sealed,
    outbox.c.sealed,
    answers.c.sealed,
    links.c.sealed,
    events.c.sealed,
    attempts.c.sealed,
)
"""Every column that holds something sealed."""
KEYED: tuple[Column[Any], ...] = (events.c.user_hash,)
"""Bytes that are a keyed hash: its key is ``installation.lookup_key``, which stays the same."""


@dataclass(slots=True)
class Resealed:
    """What became of a column so far.

    Attributes:
        column: table and column.
        looked_at: values that are sealed.
        resealed: those that another key had sealed.
        unreadable: those that none of the keys opens; they are left as they are.
    """

    column: str
    looked_at: int = 0
    resealed: int = 0
    unreadable: int = 0


class Resealing:
    """Seals all columns with the first key."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def total(self) -> int:
        """Return how many values there are."""
        async with self._database.read() as connection:
            counts = [await connection.execute(select(func.count(column))) for column in SEALED]
        return sum(int(one.scalar_one()) for one in counts)

    async def column(self, column: Column[Any]) -> AsyncIterator[Resealed]:
        """Seal a column anew; yield what was done so far after each page."""
        done = Resealed(str(column))
        after: tuple[Any, ...] | None = None
        while rows := await self._page(column, after):
            after = tuple(rows[-1][:-1])
            changed = [one for row in rows if (one := self._changed(row, done)) is not None]
            if changed:
                done.resealed += await self._write(column, changed)
            yield done
        yield done

    async def _page(
        self, column: Column[Any], after: tuple[Any, ...] | None
    ) -> Sequence[Sequence[Any]]:
        keys = _key(column)
        wanted = select(*keys, column).where(column.is_not(None)).order_by(*keys).limit(PAGE)
        if after is not None:
            wanted = wanted.where(tuple_(*keys) > after)
        async with self._database.read() as connection:
            return (await connection.execute(wanted)).all()

    def _changed(self, row: Sequence[Any], done: Resealed) -> dict[str, Any] | None:
        *key, before = row
        if not before:  # of a forgotten event nothing is left
            return None
        done.looked_at += 1
        try:
            anew = self._vault.resealed(before)
        except Unsealable:
            done.unreadable += 1
            return None
        names = {f"_key{number}": value for number, value in enumerate(key)}
        return None if anew is None else {**names, "_before": before, "_anew": anew}

    async def _write(self, column: Column[Any], changed: Sequence[dict[str, Any]]) -> int:
        mine = [one == bindparam(f"_key{number}") for number, one in enumerate(_key(column))]
        statement = (
            update(_table(column))
            .where(*mine, column == bindparam("_before"))
            .values({column.name: bindparam("_anew")})
        )
        async with self._database.record() as connection:
            await note_key(connection, self._database, self._vault.fingerprints[0])
            await connection.execute(statement, changed)
        return len(changed)


def _table(column: Column[Any]) -> Table:
    assert isinstance(column.table, Table)  # noqa: S101 - they are all columns of tables
    return column.table


def _key(column: Column[Any]) -> list[Column[Any]]:
    return list(_table(column).primary_key.columns)
