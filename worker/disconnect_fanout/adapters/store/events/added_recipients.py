"""Deliveries added to an event that is recorded already; nobody is notified twice."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import deliveries, events
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.opened_events import nobodys
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.policy.plan import Recipient


async def add_recipients(
    connection: AsyncConnection,
    database: Database,
    seals: Seals,
    event_id: str,
    recipients: Sequence[Recipient],
) -> tuple[list[Recipient], int]:
    """Add deliveries, due now, for recipients that have none yet.

    Returns:
        Those that were added, and how many recipients the event has now.

    Raises:
        NotFound: no such event, or its user was forgotten.
    """
    before, now_ms = await _lock(connection, database, seals, event_id)
    missing = await without_delivery(connection, event_id, recipients)
    if missing:
        rows = [_row(event_id, one, now_ms) for one in missing]
        await connection.execute(insert(deliveries), rows)
        grown = update(events).where(events.c.id == event_id)
        await connection.execute(grown.values(recipients=before + len(missing)))
    return missing, before + len(missing)


async def _lock(
    connection: AsyncConnection, database: Database, seals: Seals, event_id: str
) -> tuple[int, int]:
    """Return how many recipients the event has, and the database's clock.

    Raises:
        NotFound: it was forgotten meanwhile.
        SecretKeyMissing: whether it was, only another process can tell.
    """
    columns = (events.c.recipients, events.c.user_hash, events.c.sealed)
    held = select(*columns, database.now_ms.label("now_ms")).where(events.c.id == event_id)
    row = (await connection.execute(held.with_for_update())).one_or_none()
    if row is None:
        raise NotFound("event", event_id)
    unhashed = {event_id: row.sealed} if row.user_hash is None else {}
    if await nobodys(connection, seals, unhashed):
        raise NotFound("event", event_id)
    return row.recipients, row.now_ms


async def without_delivery(
    connection: AsyncConnection, event_id: str, recipients: Sequence[Recipient]
) -> list[Recipient]:
    """Return those of the recipients that an event has no delivery for."""
    planned = select(deliveries.c.platform_id).where(deliveries.c.event_id == event_id)
    known = set((await connection.execute(planned)).scalars())
    return [one for one in recipients if one.platform_id not in known]


def _row(event_id: str, recipient: Recipient, now_ms: int) -> dict[str, Any]:
    """A delivery that is due, or decided from the start if its platform can't be notified."""
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
