"""Events as they came, opened; not those whose user was forgotten."""

from collections.abc import Sequence

from sqlalchemy import select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.rows.user_match import match_events
from disconnect_fanout.adapters.store.schema.tables import events
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.opened_events import UNOPENED, open_events, open_one
from disconnect_fanout.domain.event import NOBODY, DisconnectEvent
from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.flow.left_out import LeftOutRow


class RecordedEvents:
    """Reads and opens events; changes nothing."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals

    async def one(self, event_id: str) -> DisconnectEvent | None:
        """Return an event, None if its user was forgotten.

        Raises:
            NotFound: no such event.
            SecretKeyMissing: it was sealed with a key that is not here.
            UnreadableRow: no key in use opens it.
        """
        wanted = select(events.c.sealed, events.c.user_hash).where(events.c.id == event_id)
        async with self._database.read() as connection:
            row = (await connection.execute(wanted)).one_or_none()
            if row is None:
                raise NotFound("event", event_id)
            if row.user_hash is None and not row.sealed:
                return None
            event = await open_one(connection, self._seals, event_id, row.sealed)
        return None if event.user == NOBODY else event

    async def of_user(self, email: str, limit: int) -> Sequence[DisconnectEvent]:
        """Return the events of an address, as anybody wrote it, the newest first.

        Damaged ones are left out, and noted.

        Raises:
            SecretKeyMissing: one is sealed with a key that is not here.
        """
        theirs = await match_events(self._database, self._seals, email)
        wanted = (
            select(events.c.id, events.c.sealed)
            .where(theirs.rows())
            .order_by(events.c.received_at.desc(), events.c.id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
            opened = await open_events(connection, self._seals, [row.sealed for row in rows])
        for row, event in zip(rows, opened, strict=True):
            if event is None:
                self._database.left_out.note(LeftOutRow(events.name, row.id, UNOPENED))
        return [event for event in opened if event is not None]
