"""Rows of ``deliveries``, read under lock and written back.

Everybody locks in the order of the ids, or skips what is locked: so nobody waits in a circle.
SQLite has no row locks and needs none, because its writers take turns.
"""

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import deliveries
from disconnect_fanout.policy.delivery_row import DeliveryRow

_NAMES = tuple(one.name for one in fields(DeliveryRow) if one.name != "read_at")
_COLUMNS = tuple(deliveries.c[name] for name in _NAMES)
_FIXED = ("id", "event_id", "platform_id")
_SAVE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("_id"))
    .values({name: bindparam(f"_{name}") for name in _NAMES if name not in _FIXED})
)


async def lock_named(
    connection: AsyncConnection, database: Database, ids: Collection[str]
) -> dict[str, DeliveryRow]:
    """Return the rows with these ids, waiting for whoever has them locked."""
    statement = (
        select(*_COLUMNS, database.now_ms)
        .where(database.among(deliveries.c.id, ids))
        .order_by(deliveries.c.id)
        .with_for_update()
    )
    found = await connection.execute(statement)
    return {row.id: row for row in map(_read, found)}


async def lock_first(
    connection: AsyncConnection,
    database: Database,
    *conditions: ColumnElement[bool],
    order: ColumnElement[Any],
    limit: int,
) -> list[DeliveryRow]:
    """Return the first rows that meet the conditions and that nobody else has locked."""
    statement = (
        select(*_COLUMNS, database.now_ms)
        .where(*conditions)
        .order_by(order)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_read(row) for row in await connection.execute(statement)]


async def save(connection: AsyncConnection, rows: Sequence[DeliveryRow]) -> None:
    """Write rows back."""
    if rows:
        await connection.execute(
            _SAVE, [{f"_{name}": getattr(row, name) for name in _NAMES} for row in rows]
        )


def _read(row: Sequence[Any]) -> DeliveryRow:
    return DeliveryRow(*row)
