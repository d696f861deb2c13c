"""Events explained platform by platform: what the rule says now, beside what was recorded."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.deliveries.record import DeliveryStory, delivery_columns
from disconnect_fanout.adapters.store.events.store import SqlEventStore
from disconnect_fanout.adapters.store.platforms.source import SqlPlatformSource
from disconnect_fanout.adapters.store.rows.legible import DELIVERY, legible
from disconnect_fanout.adapters.store.schema.tables import deliveries
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.policy.explain import Explanation, explain
from disconnect_fanout.policy.plan import Bearing


@dataclass(frozen=True, slots=True)
class Explained:
    """One event and one platform.

    Attributes:
        platform: None if it is not registered.
        delivery: None if none was planned; without its timeline.
    """

    event: DisconnectEvent = field(repr=False)
    explanation: Explanation
    platform: Platform | None
    delivery: DeliveryStory | None

    @property
    def near_miss(self) -> bool:
        """It is not notified, because the address is linked to it under another Google id."""
        stands = self.explanation.bearing
        found = self.event.platform_ids is None and stands is Bearing.ANOTHER_ACCOUNT
        return found and self.delivery is None


class Explainer:
    """Explains; changes nothing.

    Args:
        grace: how long before the disconnect a link may have ended.
    """

    def __init__(
        self, database: Database, seals: Seals, source: SqlPlatformSource, grace: timedelta
    ) -> None:
        self._database = database
        self._seals = seals
        self._source = source
        self._grace = grace

    async def explain(self, events: Sequence[DisconnectEvent]) -> list[Explained]:
        """Return, for each event in turn, every platform in the order of the ids."""
        if not events:
            return []
        links = await SqlEventStore(self._database, self._seals).links(events)
        platforms = {one.id: one for one in await self._source.platforms()}
        by_event = await self._deliveries([event.id for event in events])
        return [
            Explained(event, one, platforms.get(one.platform_id), recorded.get(one.platform_id))
            for event, found in zip(events, links, strict=True)
            for recorded in [by_event.get(event.id, {})]
            for one in _all(explain(event, found, platforms, self._grace), recorded)
        ]

    async def _deliveries(self, event_ids: Sequence[str]) -> dict[str, dict[str, DeliveryStory]]:
        wanted = select(deliveries).where(self._database.among(deliveries.c.event_id, event_ids))
        found: dict[str, dict[str, DeliveryStory]] = {}
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        for row in legible(self._database, deliveries, rows, DELIVERY):
            story = DeliveryStory(
                **delivery_columns(row), timeline=(), reason=row.reason, because=row.because
            )
            found.setdefault(row.event_id, {})[row.platform_id] = story
        return found


def _all(
    explanations: Sequence[Explanation], recorded: dict[str, DeliveryStory]
) -> Sequence[Explanation]:
    """Add platforms that were notified once, though they, or a link to them, are gone by now."""
    known = {one.platform_id for one in explanations}
    removed = [Explanation(one, None) for one in recorded if one not in known]
    return sorted([*explanations, *removed], key=lambda one: one.platform_id)
