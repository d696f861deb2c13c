"""Rows that none of the keys in use opens: noted once, and counted for ``fanout check``."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.key_tables import unreadable_rows


@dataclass(frozen=True, slots=True)
class Unreadable:
    """How many rows of a table are set aside, and the id of one of them."""

    of_table: str
    count: int
    example: str


async def note_unreadable(
    connection: AsyncConnection, database: Database, table: str, rows: Collection[str]
) -> list[str]:
    """Note rows that can't be opened; return those that nobody had noted before."""
    new = []
    for row in rows:
        note = database.insert(unreadable_rows).values(
            of_table=table, row=row, found_at=database.now_ms
        )
        if (await connection.execute(note.on_conflict_do_nothing())).rowcount:
            new.append(row)
    return new


async def unreadable(database: Database) -> Sequence[Unreadable]:
    """Return what is set aside, by table."""
    table = unreadable_rows.c.of_table
    counted = select(table, func.count(), func.min(unreadable_rows.c.row)).group_by(table)
    async with database.read() as connection:
        return [Unreadable(*row) for row in await connection.execute(counted.order_by(table))]
