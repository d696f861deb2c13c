"""A filter that names what does not exist is a mistake, not an empty answer."""

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.rows.delivery_filter import DeliveryFilter
from disconnect_fanout.adapters.store.schema.tables import deliveries, events, platforms
from disconnect_fanout.domain.not_found import NotFound


async def require_known(database: Database, chosen: DeliveryFilter) -> None:
    """Look up the ids of a filter; a platform that was removed is known by its deliveries.

    Raises:
        NotFound: with the first id that nothing has.
    """
    async with database.read() as connection:
        for one in chosen.ids:
            await _require(connection, exists().where(deliveries.c.id == one), "delivery", one)
        for one in chosen.platforms:
            registered = exists().where(platforms.c.id == one)
            delivered_to = exists().where(deliveries.c.platform_id == one)
            await _require(connection, or_(registered, delivered_to), "platform", one)
        if (event := chosen.event_id) is not None:
            await _require(connection, exists().where(events.c.id == event), "event", event)


async def _require(
    connection: AsyncConnection, known: ColumnElement[bool], kind: str, name: str
) -> None:
    if not (await connection.execute(select(known))).scalar_one():
        raise NotFound(kind, name)
