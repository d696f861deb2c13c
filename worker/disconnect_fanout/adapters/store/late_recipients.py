"""Recipients recorded after their event: it is planned again, and nobody is told twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update

from disconnect_fanout.adapters.store.added_recipients import REMEMBERED, add_recipients
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.event_store import SqlEventStore
from disconnect_fanout.adapters.store.not_found import NotFound
from disconnect_fanout.adapters.store.platform_source import SqlPlatformSource
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.tables import events
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.policy.near_miss import near_misses
from disconnect_fanout.policy.plan import Recipient, plan


@dataclass(frozen=True, slots=True)
class Resolved:
    """What planning an event again has added.

    Attributes:
        added: ids of platforms that will be told now.
        recipients: all of the event's, the new ones included.
    """

    event_id: str
    added: tuple[str, ...]
    recipients: int


class LateRecipients:
    """Plans recorded events again.

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

    async def resolve(self, event_id: str) -> Resolved:
        """Add deliveries, due now, for recipients that have none yet.

        Raises:
            NotFound: no such event, or its user was forgotten.
            Unsealable: it was sealed with a key that is not configured.
        """
        event = await self._event(event_id)
        (links,) = await SqlEventStore(self._database, self._seals).links([event])
        recipients = await self._recipients(event, links)
        missed = len(near_misses(event, links, self._grace))
        async with self._database.record() as connection:
            added, count = await add_recipients(connection, self._database, event_id, recipients)
            known = update(events).where(events.c.id == event_id)
            await connection.execute(known.values(near_misses=missed))
        return Resolved(event_id, tuple(one.platform_id for one in added), count)

    async def _event(self, event_id: str) -> DisconnectEvent:
        wanted = select(events.c.sealed).where(events.c.id == event_id, REMEMBERED)
        async with self._database.read() as connection:
            sealed = (await connection.execute(wanted)).scalar_one_or_none()
        if sealed is None:
            raise NotFound("event", event_id)
        return self._seals.open_event(sealed)

    async def _recipients(
        self, event: DisconnectEvent, links: Sequence[Link]
    ) -> Sequence[Recipient]:
        platforms = {one.id: one for one in await self._source.platforms()}
        return plan(event, links, platforms, self._grace)
