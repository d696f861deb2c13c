"""What a replay would send again, and whom it leaves alone.

A delivery whose user has linked that platform again since the disconnect is left out: notified now,
the platform would cut off somebody who has come back. Users are sealed, so events are opened here,
a page at a time; a hundred thousand take some seconds, once for each replay.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.replays.reconnected import reconnected
from disconnect_fanout.adapters.store.rows.delivery_filter import DeliveryFilter, conditions
from disconnect_fanout.adapters.store.rows.legible import legible
from disconnect_fanout.adapters.store.schema.tables import deliveries, events
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.opened_events import nobodys, open_known

_PAGE = 500
_COLUMNS = (
    *(deliveries.c[one] for one in ("id", "platform_id", "event_id", "reason")),
    *(deliveries.c[one] for one in ("decided_at", "settled_at")),
    *(events.c[one] for one in ("user_hash", "sealed")),
)

_ENDED = ("platform_id", "event_id", "reason", "decided_at", "settled_at")


@dataclass(slots=True)
class ReplayGroup:
    """Deliveries of one platform that ended alike; instants in milliseconds."""

    count: int
    oldest: int
    newest: int

    def add(self, at: int) -> None:
        """Count one more that ended then."""
        self.count += 1
        self.oldest, self.newest = min(self.oldest, at), max(self.newest, at)


@dataclass(slots=True)
class ReplaySelection:
    """Which deliveries, and how many of each kind.

    Attributes:
        groups: by platform and by the reason for which they are dead, None if they were delivered.
        reconnected: left out, because their user has linked the platform again since.
        forgotten: left out, because nobody knows any more whom they were about.
    """

    ids: list[str] = field(default_factory=list)
    groups: dict[tuple[str, str | None], ReplayGroup] = field(default_factory=dict)
    reconnected: int = 0
    forgotten: int = 0

    def add(self, delivery_id: str, platform_id: str, reason: str | None, at: int) -> None:
        """Select one that ended then."""
        self.ids.append(delivery_id)
        self.groups.setdefault((platform_id, reason), ReplayGroup(0, at, at)).add(at)


class ReplaySelector:
    """Selects deliveries to send again; changes nothing."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals

    async def select(
        self, chosen: DeliveryFilter, *, limit: int | None, include_reconnected: bool
    ) -> ReplaySelection:
        """Return what matches, the reconnected left out and counted.

        Args:
            chosen: asks for states that can be replayed.
            limit: None for all.
            include_reconnected: leave nobody out.
        """
        selection = ReplaySelection()
        async for page in self._pages(chosen):
            nobody = await self._nobodys(page)
            back = set() if include_reconnected else await self._back(page, nobody)
            for row in legible(self._database, deliveries, page, _ENDED):
                if limit is not None and len(selection.ids) >= limit:
                    return selection
                if row.event_id in nobody:
                    selection.forgotten += 1
                elif row.id in back:
                    selection.reconnected += 1
                else:
                    at = row.decided_at or row.settled_at or 0
                    selection.add(row.id, row.platform_id, row.reason, at)
        return selection

    async def _pages(self, chosen: DeliveryFilter) -> AsyncIterator[Sequence[Row[Any]]]:
        wanted = (
            select(*_COLUMNS)
            .join(events, events.c.id == deliveries.c.event_id)
            .where(*conditions(chosen))
            .order_by(deliveries.c.id)
            .limit(_PAGE)
        )
        after = ""
        while True:
            async with self._database.read() as connection:
                rows = await connection.execute(wanted.where(deliveries.c.id > after))
                page = rows.all()
            if not page:
                return
            yield page
            after = page[-1].id

    async def _nobodys(self, page: Sequence[Row[Any]]) -> Collection[str]:
        sealed = {row.event_id: row.sealed for row in page if row.user_hash is None}
        if not sealed:
            return ()
        async with self._database.read() as connection:
            return await nobodys(connection, self._seals, sealed)

    async def _back(self, page: Sequence[Row[Any]], nobody: Collection[str]) -> set[str]:
        """Return the ids of deliveries whose user has come back to their platform."""
        sealed = {row.event_id: row.sealed for row in page if row.event_id not in nobody}
        async with self._database.read() as connection:
            # What is damaged is selected all the same, and waits to be opened.
            opened = await open_known(connection, self._seals, sealed.values())
            back = await reconnected(connection, self._database, self._seals, opened)
        return {row.id for row in page if (row.event_id, row.platform_id) in back}
