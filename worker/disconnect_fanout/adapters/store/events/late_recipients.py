"""Recipients recorded after their event: it is planned again, and nobody is notified twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.events.added_recipients import (
    add_recipients,
    without_delivery,
)
from disconnect_fanout.adapters.store.links.candidates import links_of
from disconnect_fanout.adapters.store.platforms.source import SqlPlatformSource
from disconnect_fanout.adapters.store.replays.reconnected import reconnected
from disconnect_fanout.adapters.store.schema.tables import events
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.opened_events import open_one
from disconnect_fanout.domain.event import NOBODY, DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.policy.near_miss import near_misses
from disconnect_fanout.policy.plan import Recipient, plan, returned


@dataclass(frozen=True, slots=True)
class Resolved:
    """What planning an event again has added.

    Attributes:
        added: ids of platforms that will be notified now.
        recipients: all of the event's, the new ones included.
        reconnected: late ones that are left out, because the user has linked them again since the
            disconnect: notified now, they would cut off somebody who has come back.
    """

    event_id: str
    added: tuple[str, ...]
    recipients: int
    reconnected: int


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
            SecretKeyMissing: it was sealed with a key that is not here.
            UnreadableRow: no key in use opens it.
        """
        event = await self._event(event_id)
        async with self._database.record() as connection:
            (links,) = await links_of(connection, self._database, self._seals, [event.user])
            recipients = await self._recipients(event, tuple(links.values()))
            missed = len(near_misses(event, tuple(links.values()), self._grace))
            back = await reconnected(
                connection, self._database, self._seals, [event], judge=returned
            )
            left = [one for one in recipients if (event_id, one.platform_id) in back]
            late = [one for one in recipients if one not in left]
            added, count = await add_recipients(
                connection, self._database, self._seals, event_id, late
            )
            left_out = len(await without_delivery(connection, event_id, left))
            known = update(events).where(events.c.id == event_id)
            await connection.execute(known.values(near_misses=missed))
        return Resolved(event_id, tuple(one.platform_id for one in added), count, left_out)

    async def _event(self, event_id: str) -> DisconnectEvent:
        wanted = select(events.c.sealed, events.c.user_hash).where(events.c.id == event_id)
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).one_or_none()
            if row is None or (row.user_hash is None and not row.sealed):
                raise NotFound("event", event_id)
            event = await open_one(connection, self._seals, event_id, row.sealed)
        if event.user == NOBODY:
            raise NotFound("event", event_id)
        return event

    async def _recipients(
        self, event: DisconnectEvent, links: Sequence[Link]
    ) -> Sequence[Recipient]:
        platforms = {one.id: one for one in await self._source.platforms()}
        return plan(event, links, platforms, self._grace)
