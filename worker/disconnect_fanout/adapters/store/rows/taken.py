"""Is there what was just written? A trigger or a rule may swallow a row and say nothing of it."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.flow.outage import StoreRefuses


def require_taken(table: str, written: int, there: int) -> None:
    """Return if as many rows are there as were written.

    Raises:
        StoreRefuses: one is not there: no event is at fault, and whoever asks meets the same.
    """
    if there < written:
        raise StoreRefuses(
            f"the database took a row of {table} and does not have it: a trigger or a rule?"
        )


async def require_there(
    connection: AsyncConnection,
    database: Database,
    column: Column[Any],
    written: Collection[str],
    *where: ColumnElement[bool],
) -> None:
    """Look for the rows whose column has these values, in the transaction that wrote them.

    Each value is one row's; ``where`` says what must hold of them besides.

    Raises:
        StoreRefuses: one is not there.
    """
    wanted = set(written)
    if wanted:
        found = select(func.count()).where(database.among(column, wanted), *where)
        there = (await connection.execute(found)).scalar_one()
        require_taken(column.table.name, len(wanted), there)
