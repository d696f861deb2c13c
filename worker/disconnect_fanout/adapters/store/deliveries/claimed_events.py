"""The events of rows that are being claimed: opened, or the rows are called off or set aside.

Nothing is discarded but what ``privacy forget`` has marked, or an event that names nobody any more:
a row that is missing or damaged may come back.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.deliveries.unreadable_events import UnreadableEvents
from disconnect_fanout.adapters.store.rows.written import write
from disconnect_fanout.adapters.store.schema.tables import events
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.opened_events import open_events
from disconnect_fanout.domain.event import NOBODY, DisconnectEvent
from disconnect_fanout.policy.delivery_row import DeliveryRow, called_off
from disconnect_fanout.policy.transition import Transition


class ClaimedEvents:
    """Finds out what the rows of a claim are about, inside its transaction."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals
        self._unreadable = UnreadableEvents(database, seals)

    async def of(
        self, connection: AsyncConnection, rows: Sequence[DeliveryRow]
    ) -> dict[str, DisconnectEvent]:
        """Return the events of those rows that can be sent, by delivery.

        Raises:
            SecretKeyMissing: an event is sealed with a key that is not here.
        """
        opened = await self._opened(connection, {row.event_id for row in rows})
        nobodys = [row for row in rows if row.forgotten or _names_nobody(opened.get(row.event_id))]
        await self._call_off(connection, nobodys)
        left = {row.id for row in rows} - {row.id for row in nobodys}
        mine = [row for row in rows if row.id in left]
        await self._unreadable.set_aside(
            connection, [row for row in mine if opened.get(row.event_id) is None]
        )
        found = {row.id: opened.get(row.event_id) for row in mine}
        return {row: event for row, event in found.items() if event is not None}

    async def _opened(
        self, connection: AsyncConnection, ids: set[str]
    ) -> dict[str, DisconnectEvent | None]:
        """Return those that are there, by id; None for one that nobody can open."""
        found = await connection.execute(
            select(events.c.id, events.c.sealed).where(self._database.among(events.c.id, ids))
        )
        sealed = {row.id: row.sealed for row in found}
        opened = await open_events(connection, self._seals, sealed.values())
        return dict(zip(sealed, opened, strict=True))

    async def _call_off(self, connection: AsyncConnection, rows: Sequence[DeliveryRow]) -> None:
        """A replay was begun before the user was forgotten: there is nobody to notify about."""
        ended = [Transition(row, called_off(row)) for row in rows]
        await write(connection, self._database, ended)


def _names_nobody(event: DisconnectEvent | None) -> bool:
    return event is not None and event.user == NOBODY
