"""The open dead letters counted: what they have in common, how many there are, how fast they come.

Both counts read one index that holds all they need, and no row.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Integer, case, func, select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.rows.delivery_filter import DeliveryFilter, conditions
from disconnect_fanout.adapters.store.rows.legible import countable
from disconnect_fanout.adapters.store.schema.tables import dead, deliveries
from disconnect_fanout.domain.instant import from_ms, span_ms

_HOUR_S = 3600.0
_DAY_S = 24 * _HOUR_S


@dataclass(frozen=True, slots=True)
class DeadGroup:
    """Dead letters that died of the same thing.

    Attributes:
        result: of the last attempt; None if there was none.
        error: its normalised error: numbers and addresses left out.
    """

    platform_id: str
    reason: str
    result: str | None
    error: str | None
    count: int


@dataclass(frozen=True, slots=True)
class DeadCount:
    """The open dead letters of one platform and reason.

    Attributes:
        last_hour: how many of them died within it; likewise the day.
    """

    platform_id: str
    reason: str
    count: int
    oldest: datetime
    newest: datetime
    last_hour: int
    last_day: int


@dataclass(frozen=True, slots=True)
class DeadStats:
    """All of them, and by platform and reason, the most first."""

    depth: int
    oldest: datetime | None
    newest: datetime | None
    last_hour: int
    last_day: int
    by_platform: tuple[DeadCount, ...]


class DeadLetterCensus:
    """Counts open dead letters; changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def groups(self, chosen: DeliveryFilter, limit: int) -> list[DeadGroup]:
        """Return the largest groups among those that match, the largest first."""
        row, which = deliveries.c, (dead, *conditions(chosen))
        kind = (row.platform_id, row.reason, row.last_result, row.last_error)
        count = func.count()
        counted = (
            select(*kind, count)
            .where(*which, await countable(self._database, which))
            .group_by(*kind)
            .order_by(count.desc(), *kind)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [DeadGroup(*one) for one in await connection.execute(counted)]

    async def stats(self, chosen: DeliveryFilter) -> DeadStats:
        """Return how many match, since when, and how many of them are new."""
        row, which = deliveries.c, (dead, *conditions(chosen))
        count = func.count()
        counted = (
            select(
                row.platform_id,
                row.reason,
                count,
                func.min(row.decided_at),
                func.max(row.decided_at),
                self._within(_HOUR_S),
                self._within(_DAY_S),
            )
            .where(*which, await countable(self._database, which))
            .group_by(row.platform_id, row.reason)
            .order_by(count.desc(), row.platform_id, row.reason)
        )
        async with self._database.read() as connection:
            found = [
                DeadCount(one[0], one[1], one[2], from_ms(one[3]), from_ms(one[4]), one[5], one[6])
                for one in await connection.execute(counted)
            ]
        return _total(found)

    def _within(self, seconds: float) -> ColumnElement[int]:
        since = self._database.now_ms - span_ms(seconds)
        return func.sum(case((deliveries.c.decided_at > since, 1), else_=0), type_=Integer)


def _total(counts: list[DeadCount]) -> DeadStats:
    return DeadStats(
        depth=sum(one.count for one in counts),
        oldest=min((one.oldest for one in counts), default=None),
        newest=max((one.newest for one in counts), default=None),
        last_hour=sum(one.last_hour for one in counts),
        last_day=sum(one.last_day for one in counts),
        by_platform=tuple(counts),
    )
