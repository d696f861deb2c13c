"""Recipients recorded after their event: it is planned again, and nobody is told twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.event_store import SqlEventStore
from disconnect_fanout.adapters.store.not_found import NotFound
from disconnect_fanout.adapters.store.platform_source import SqlPlatformSource
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.tables import deliveries, events
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.policy.plan import Recipient, plan

_REMEMBERED = events.c.user_hash.is_not(None)


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
        recipients = await self._recipients(await self._event(event_id))
        async with self._database.record() as connection:
            before, now_ms = await _lock(connection, self._database, event_id)
            missing = await _missing(connection, event_id, recipients)
            if missing:
                rows = [_row(event_id, one, now_ms) for one in missing]
                await connection.execute(insert(deliveries), rows)
                grown = update(events).where(events.c.id == event_id)
                await connection.execute(grown.values(recipients=before + len(missing)))
        added = tuple(one.platform_id for one in missing)
        return Resolved(event_id, added, before + len(missing))

    async def _event(self, event_id: str) -> DisconnectEvent:
        wanted = select(events.c.sealed).where(events.c.id == event_id, _REMEMBERED)
        async with self._database.read() as connection:
            sealed = (await connection.execute(wanted)).scalar_one_or_none()
        if sealed is None:
            raise NotFound("event", event_id)
        return self._seals.open_event(sealed)

    async def _recipients(self, event: DisconnectEvent) -> Sequence[Recipient]:
        (links,) = await SqlEventStore(self._database, self._seals).links([event])
        platforms = {one.id: one for one in await self._source.platforms()}
        return plan(event, links, platforms, self._grace)


async def _lock(connection: AsyncConnection, database: Database, event_id: str) -> tuple[int, int]:
    """Return how many recipients the event has, and the database's clock.

    Raises:
        NotFound: it was forgotten meanwhile.
    """
    held = select(events.c.recipients, database.now_ms).where(events.c.id == event_id, _REMEMBERED)
    row = (await connection.execute(held.with_for_update())).one_or_none()
    if row is None:
        raise NotFound("event", event_id)
    return row[0], row[1]


async def _missing(
    connection: AsyncConnection, event_id: str, recipients: Sequence[Recipient]
) -> list[Recipient]:
    planned = select(deliveries.c.platform_id).where(deliveries.c.event_id == event_id)
    known = set((await connection.execute(planned)).scalars())
    return [one for one in recipients if one.platform_id not in known]


def _row(event_id: str, recipient: Recipient, now_ms: int) -> dict[str, Any]:
    """A delivery that is due, or decided from the start if its platform can't be told."""
    dead = recipient.dead
    return {
        "id": delivery_id(event_id, recipient.platform_id),
        "event_id": event_id,
        "platform_id": recipient.platform_id,
        "state": DeliveryState.PENDING.value,
        "attempts": 0,
        "step": 0,
        "replays": 0,
        "next_at": now_ms if dead is None else None,
        "reason": None if dead is None else dead.value,
        "decided_at": None if dead is None else now_ms,
        "born_at": now_ms,
        "created_at": now_ms,
    }
