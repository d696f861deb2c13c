"""The balance: whom we resolved to tell, and what became of it, each counted for itself.

``resolved`` is the sum of what each event froze at planning; the rest are rows of ``deliveries``
in each state. Nothing here is derived from the rest, so a difference means that a delivery was
lost, or that one is there twice. Every count is one statement, and so one instant.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from sqlalchemy import exists, func, literal, select, union_all

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import deliveries, events

_STATES = ("delivered", "dead", "discarded", "pending")


@dataclass(frozen=True, slots=True)
class Balance:
    """Numbers of deliveries.

    Attributes:
        difference: what is missing (or, negative, too many); 0 when the balance closes.
    """

    resolved: int
    delivered: int
    dead: int
    discarded: int
    pending: int
    difference: int

    @classmethod
    def of(cls, resolved: int, counts: Mapping[str, int]) -> Self:
        """Add up."""
        delivered, dead, discarded, pending = (counts.get(one, 0) for one in _STATES)
        accounted = delivered + dead + discarded + pending
        return cls(resolved, delivered, dead, discarded, pending, resolved - accounted)


@dataclass(frozen=True, slots=True)
class EventBalance(Balance):
    """The balance of one event, which does not close; ``resolved`` is 0 if it is not recorded."""

    event_id: str = ""


class BalanceSheet:
    """Counts; changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def difference(self) -> int:
        """Return the overall difference, for the metric: the cheapest of the counts."""
        resolved = select(func.coalesce(func.sum(events.c.recipients), 0)).scalar_subquery()
        rows = select(func.count()).select_from(deliveries).scalar_subquery()
        async with self._database.read() as connection:
            return int((await connection.execute(select(resolved - rows))).scalar_one())

    async def overall(self) -> Balance:
        """Return the balance over all events; a second for a million deliveries."""
        resolved = select(literal("resolved"), func.coalesce(func.sum(events.c.recipients), 0))
        states = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
        async with self._database.read() as connection:
            rows = await connection.execute(union_all(resolved, states))
            counts = {row[0]: int(row[1]) for row in rows}
        return Balance.of(counts.pop("resolved"), counts)

    async def open_events(self, limit: int) -> Sequence[EventBalance]:
        """Return events whose balance does not close, and deliveries whose event is not there."""
        planned = select(func.count()).where(deliveries.c.event_id == events.c.id).scalar_subquery()
        wrong = select(events.c.id).where(events.c.recipients != planned)
        orphans = (
            select(deliveries.c.event_id)
            .where(~exists().where(events.c.id == deliveries.c.event_id))
            .distinct()
        )
        async with self._database.read() as connection:
            found = await connection.execute(union_all(wrong, orphans).limit(limit))
            ids = list(found.scalars())
        return await self._of_events(ids) if ids else []

    async def _of_events(self, ids: Sequence[str]) -> Sequence[EventBalance]:
        among = self._database.among
        resolved = select(events.c.id, literal("resolved"), events.c.recipients)
        states = select(deliveries.c.event_id, deliveries.c.state, func.count())
        statement = union_all(
            resolved.where(among(events.c.id, ids)),
            states.where(among(deliveries.c.event_id, ids)).group_by(
                deliveries.c.event_id, deliveries.c.state
            ),
        )
        counts: defaultdict[str, dict[str, int]] = defaultdict(dict)
        async with self._database.read() as connection:
            for event_id, name, count in await connection.execute(statement):
                counts[event_id][name] = count
        return [
            replace(EventBalance.of(counts[one].get("resolved", 0), counts[one]), event_id=one)
            for one in ids
        ]
