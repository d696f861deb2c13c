"""Platforms for which deliveries wait: how many, and those to which nothing can be sent."""

from collections.abc import Mapping, Sequence

from sqlalchemy import CTE, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import deliveries, platforms, waiting
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.policy.undeliverable import undeliverable


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


async def unsendable_platforms(database: Database) -> Sequence[str]:
    """Return the disabled and the unknown platforms for which deliveries wait, as of now."""
    found = _platforms_with_waiting()
    statement = (
        select(found.c.platform_id)
        .outerjoin(platforms, platforms.c.id == found.c.platform_id)
        .where(
            found.c.platform_id.is_not(None),
            or_(platforms.c.enabled.is_(None), platforms.c.enabled == false()),
        )
    )
    async with database.read() as connection:
        rows = (await connection.execute(statement)).all()
    return [row.platform_id for row in rows]


async def why_unsendable(connection: AsyncConnection, platform_id: str) -> DeadReason | None:
    """Return why nothing can be sent to a platform, and hold it so until the transaction ends.

    Whoever enables it at this moment waits for us, and has it enabled when his command returns.
    """
    state = select(platforms.c.enabled).where(platforms.c.id == platform_id)
    enabled = (await connection.execute(state.with_for_update(read=True))).scalar_one_or_none()
    return undeliverable(enabled)


def _platforms_with_waiting() -> CTE:
    """Hop through the index from platform to platform, instead of reading a million rows."""
    platform_id = deliveries.c.platform_id
    here = select(func.min(platform_id).label("platform_id")).where(waiting)
    hops = here.cte("hops", recursive=True)
    following = (
        select(func.min(platform_id)).where(waiting, platform_id > hops.c.platform_id)
    ).scalar_subquery()
    return hops.union_all(select(following).where(hops.c.platform_id.is_not(None)))
