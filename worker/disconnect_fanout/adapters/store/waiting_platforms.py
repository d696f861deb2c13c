"""Platforms for which deliveries wait: how many, and those to which nothing can be sent."""

from collections.abc import Mapping

from sqlalchemy import CTE, false, func, or_, select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.tables import deliveries, platforms, waiting
from disconnect_fanout.domain.dead_letter import DeadReason


class WaitingRoom:
    """Counts what waits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self) -> Mapping[str, int]:
        """Return how many deliveries wait for a turn or for an answer, by platform.

        Raises:
            StoreUnreachable: the database does not answer.
        """
        platform = deliveries.c.platform_id
        counted = select(platform, func.count()).where(waiting).group_by(platform)
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in await connection.execute(counted)}


async def unsendable_platforms(database: Database) -> Mapping[str, DeadReason]:
    """Return the disabled and the unknown platforms for which deliveries wait, with the reason."""
    found = _platforms_with_waiting()
    statement = (
        select(found.c.platform_id, platforms.c.enabled)
        .outerjoin(platforms, platforms.c.id == found.c.platform_id)
        .where(
            found.c.platform_id.is_not(None),
            or_(platforms.c.enabled.is_(None), platforms.c.enabled == false()),
        )
    )
    async with database.read() as connection:
        rows = (await connection.execute(statement)).all()
    return {
        row.platform_id: (
            DeadReason.UNKNOWN_PLATFORM if row.enabled is None else DeadReason.ENDPOINT_DISABLED
        )
        for row in rows
    }


def _platforms_with_waiting() -> CTE:
    """Hop through the index from platform to platform, instead of reading a million rows."""
    platform_id = deliveries.c.platform_id
    here = select(func.min(platform_id).label("platform_id")).where(waiting)
    hops = here.cte("hops", recursive=True)
    following = (
        select(func.min(platform_id)).where(waiting, platform_id > hops.c.platform_id)
    ).scalar_subquery()
    return hops.union_all(select(following).where(hops.c.platform_id.is_not(None)))
