"""Who was notified what, when, with which answer."""

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.deliveries.record import (
    DeadRecord,
    DeadStory,
    DeliveryRecord,
    DeliveryStory,
    TimelineEntry,
    dead_columns,
    delivery_columns,
    timeline_entry,
)
from disconnect_fanout.adapters.store.rows.delivery_filter import (
    DeliveryFilter,
    conditions,
)
from disconnect_fanout.adapters.store.rows.legible import (
    DEAD,
    DELIVERY,
    legible,
    require_legible,
)
from disconnect_fanout.adapters.store.schema.tables import attempts, deliveries
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.not_found import NotFound

ATTEMPT = ("at", "result", "status", "duration_ms", "answer")


class DeliveryHistory:
    """Reads deliveries and their attempts; changes nothing."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def deliveries(self, chosen: DeliveryFilter, limit: int) -> list[DeliveryRecord]:
        """Return those that match, the newest first."""
        newest_first = (deliveries.c.created_at.desc(), deliveries.c.id)
        wanted = select(deliveries).where(*conditions(chosen)).order_by(*newest_first)
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted.limit(limit))).all()
        shown = legible(self._database, deliveries, rows, DELIVERY)
        return [DeliveryRecord(**delivery_columns(row)) for row in shown]

    async def dead_letters(self, chosen: DeliveryFilter, limit: int) -> list[DeadRecord]:
        """Return the open ones that match, the newest first; ``chosen`` asks for dead ones."""
        newest_first = (deliveries.c.decided_at.desc(), deliveries.c.id)
        wanted = select(deliveries).where(*conditions(chosen)).order_by(*newest_first)
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted.limit(limit))).all()
        shown = legible(self._database, deliveries, rows, DEAD)
        return [DeadRecord(**dead_columns(row)) for row in shown]

    async def delivery(self, delivery_id: str) -> DeliveryStory:
        """Return one with its timeline.

        Raises:
            NotFound: no such delivery.
        """
        async with self._database.read() as connection:
            row, timeline = await self._story(connection, delivery_id)
        require_legible(deliveries, row, DELIVERY)
        return DeliveryStory(
            **delivery_columns(row), timeline=timeline, reason=row.reason, because=row.because
        )

    async def dead_letter(self, delivery_id: str) -> DeadStory:
        """Return one open dead letter with its timeline.

        Raises:
            NotFound: no such delivery, or it is not dead.
        """
        async with self._database.read() as connection:
            row, timeline = await self._story(connection, delivery_id)
        if row.state != DeliveryState.DEAD:
            raise NotFound("open dead letter", f"{delivery_id}; its state is {row.state}")
        require_legible(deliveries, row, DEAD)
        return DeadStory(**dead_columns(row), timeline=timeline)

    async def _story(
        self, connection: AsyncConnection, delivery_id: str
    ) -> tuple[Row[Any], tuple[TimelineEntry, ...]]:
        wanted = select(deliveries).where(deliveries.c.id == delivery_id)
        row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise NotFound("delivery", delivery_id)
        made = select(attempts).where(attempts.c.delivery_id == delivery_id)
        rows = (await connection.execute(made.order_by(attempts.c.number))).all()
        shown = legible(self._database, attempts, rows, ATTEMPT)
        return row, tuple(timeline_entry(one, self._vault) for one in shown)
