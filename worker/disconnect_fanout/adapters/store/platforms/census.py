"""What hangs on each platform: links that hold, deliveries that wait, dead letters, breakers."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.platforms.open_breakers import STALE_MS, open_breakers
from disconnect_fanout.adapters.store.rows.delivery_filter import in_state
from disconnect_fanout.adapters.store.schema.tables import deliveries, links
from disconnect_fanout.domain.delivery import DeliveryState


@dataclass(frozen=True, slots=True)
class Census:
    """Counts of one platform."""

    links: int = 0
    pending: int = 0
    dead_letters: int = 0
    open_breakers: int = 0


async def count_around(
    connection: AsyncConnection, now_ms: ColumnElement[int], platform_id: str | None = None
) -> dict[str, Census]:
    """Return the counts by platform, of one or of all; who has none is not in it.

    A grouped query each over partial indexes instead of one join, which would multiply rows.
    """
    held = await _count(connection, links.c.platform_id, platform_id, links.c.unlinked_at.is_(None))
    of_platform = deliveries.c.platform_id
    pending = await _count(connection, of_platform, platform_id, in_state(DeliveryState.PENDING))
    dead = await _count(connection, of_platform, platform_id, in_state(DeliveryState.DEAD))
    fresh = open_breakers.c.seen_at >= now_ms - STALE_MS
    breakers = await _count(connection, open_breakers.c.platform_id, platform_id, fresh)
    counts = (held, pending, dead, breakers)
    return {
        one: Census(*(count.get(one, 0) for count in counts))
        for one in {*held, *pending, *dead, *breakers}
    }


async def _count(
    connection: AsyncConnection,
    platform: ColumnElement[str],
    platform_id: str | None,
    which: ColumnElement[bool],
) -> dict[str, int]:
    counted = select(platform, func.count()).where(which).group_by(platform)
    if platform_id is not None:
        counted = counted.where(platform == platform_id)
    return {row[0]: row[1] for row in await connection.execute(counted)}
