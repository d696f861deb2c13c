"""What a replay would send again, and whom it leaves alone.

A delivery whose user has linked that platform again since the disconnect is left out: told now, the
platform would cut off somebody who has come back. Users are sealed, so events are opened here, a
page at a time; a hundred thousand take some seconds, once for each replay.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy import Row, select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.delivery_filter import DeliveryFilter, conditions
from disconnect_fanout.adapters.store.link_candidates import find_links
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.tables import deliveries, events
from disconnect_fanout.policy.plan import returned

_PAGE = 500
_Row: TypeAlias = Row[str, str, str]


@dataclass(slots=True)
class ReplaySelection:
    """Which deliveries, and how many by platform."""

    ids: list[str] = field(default_factory=list)
    by_platform: Counter[str] = field(default_factory=Counter)
    reconnected: int = 0


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
            chosen: asks for a state that can be replayed.
            limit: None for all.
            include_reconnected: leave nobody out.
        """
        selection = ReplaySelection()
        async for page in self._pages(chosen):
            back = set() if include_reconnected else await self._back(page)
            for row in page:
                if limit is not None and len(selection.ids) >= limit:
                    return selection
                if row.id in back:
                    selection.reconnected += 1
                else:
                    selection.ids.append(row.id)
                    selection.by_platform[row.platform_id] += 1
        return selection

    async def _pages(self, chosen: DeliveryFilter) -> AsyncIterator[Sequence[_Row]]:
        wanted = (
            select(deliveries.c.id, deliveries.c.platform_id, deliveries.c.event_id)
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

    async def _back(self, page: Sequence[_Row]) -> set[str]:
        """Return the ids of deliveries whose user has come back to their platform."""
        sealed = await self._sealed({row.event_id for row in page})
        opened = [self._seals.open_event(one) for one in sealed.values()]
        links = await find_links(self._database, opened)
        back = {
            (event.id, link.platform_id)
            for event, found in zip(opened, links, strict=True)
            for link in found
            if returned(link, event)
        }
        return {row.id for row in page if (row.event_id, row.platform_id) in back}

    async def _sealed(self, event_ids: set[str]) -> Mapping[str, bytes]:
        wanted = select(events.c.id, events.c.sealed)
        async with self._database.read() as connection:
            rows = await connection.execute(
                wanted.where(self._database.among(events.c.id, event_ids))
            )
            return {row[0]: row[1] for row in rows}
