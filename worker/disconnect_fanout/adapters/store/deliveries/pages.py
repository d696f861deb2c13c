"""All deliveries that match, however many, a page at a time."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Row, select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.rows.delivery_filter import DeliveryFilter, conditions
from disconnect_fanout.adapters.store.schema.tables import deliveries

PAGE = 500


async def delivery_pages(
    database: Database, chosen: DeliveryFilter, limit: int | None = None
) -> AsyncIterator[Sequence[Row[Any]]]:
    """Yield rows of ``deliveries`` in the order of their ids.

    Between two pages no transaction is open: a reader may take its time, and what changes meanwhile
    is read as it is by then, each row at most once.

    Args:
        database: where they are.
        chosen: which ones.
        limit: at most so many, None for all.
    """
    wanted = select(deliveries).where(*conditions(chosen)).order_by(deliveries.c.id)
    after, left = "", limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        async with database.read() as connection:
            rows = await connection.execute(wanted.where(deliveries.c.id > after).limit(size))
            page = rows.all()
        if page:
            yield page
        if len(page) < size:
            return
        after = page[-1].id
        left = None if left is None else left - len(page)
