"""Dead letters that an operator closes: their platforms shall never be notified."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.deliveries.pages import PAGE, delivery_pages
from disconnect_fanout.adapters.store.rows.delivery_filter import DeliveryFilter
from disconnect_fanout.adapters.store.rows.locked import lock_named, save
from disconnect_fanout.adapters.store.schema.tables import deliveries
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.policy.delivery_row import discarded
from disconnect_fanout.policy.wording.nameless import nameless

_REASON = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("_id"))
    .values(because=bindparam("_because"))
)


@dataclass(slots=True)
class DiscardSelection:
    """Which dead letters, and how many by platform."""

    ids: list[str] = field(default_factory=list)
    by_platform: Counter[str] = field(default_factory=Counter)


class Discards:
    """Selects dead letters and discards them.

    Their letters leave the queue by themselves: to the sweeper they are stale.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def select(self, chosen: DeliveryFilter, limit: int | None) -> DiscardSelection:
        """Return what matches; a person is asked about exactly these.

        Args:
            chosen: asks for dead ones.
            limit: None for all.
        """
        selection = DiscardSelection()
        async for page in delivery_pages(self._database, chosen, limit):
            selection.ids.extend(row.id for row in page)
            selection.by_platform.update(row.platform_id for row in page)
        return selection

    async def discard(self, ids: Sequence[str], because: str) -> int:
        """Discard those that are still dead, in short transactions; return how many were."""
        count = 0
        for start in range(0, len(ids), PAGE):
            async with self._database.record() as connection:
                count += await self._page(connection, ids[start : start + PAGE], because)
        return count

    async def _page(self, connection: AsyncConnection, ids: Sequence[str], because: str) -> int:
        rows = await lock_named(connection, self._database, ids)
        after = [discarded(row) for row in rows.values() if row.state == DeliveryState.DEAD]
        await save(connection, after)
        if after:
            reasons = [{"_id": row.id, "_because": nameless(because)} for row in after]
            await connection.execute(_REASON, reasons)
        return len(after)
