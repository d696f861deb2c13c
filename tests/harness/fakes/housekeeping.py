"""Retention and balance of the store in memory."""

from tests.harness.fakes.tables import FakeTables

from disconnect_fanout.domain.instant import span_ms
from disconnect_fanout.policy.delivery_row import DeliveryRow


class FakeBalance:
    """``app.balance_monitor.BalanceSource``."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables

    async def difference(self) -> int:
        """Return how many recipients were resolved, less the deliveries that there are."""
        self._tables.reach()
        resolved = sum(one.recipients for one in self._tables.events.values())
        return resolved - len(self._tables.deliveries)


class FakeRetention:
    """``flow.housekeeping.PeriodicJob``."""

    def __init__(self, tables: FakeTables, keep_s: float) -> None:
        self._tables = tables
        self._keep_ms = span_ms(keep_s)

    async def do_some(self) -> int:
        """Prune one event with all that it has, or one connect."""
        self._tables.reach()
        before = self._tables.now_ms - self._keep_ms
        for event_id, event in self._tables.events.items():
            rows = [row for row in self._tables.rows() if row.event_id == event_id]
            if event.received_at < before and all(_closed(row, before) for row in rows):
                return self._forget(event_id, rows)
        for event_id, (_, received_at) in self._tables.connects.items():
            if received_at < before:
                del self._tables.connects[event_id]
                return 1
        return 0

    def _forget(self, event_id: str, rows: list[DeliveryRow]) -> int:
        gone = {row.id for row in rows}
        made = [key for key in self._tables.attempts if key[0] in gone]
        for key in made:
            del self._tables.attempts[key]
        for one in gone:
            del self._tables.deliveries[one]
        del self._tables.events[event_id]
        return 1 + len(gone) + len(made)


def _closed(row: DeliveryRow, before: int) -> bool:
    over = row.state in {"delivered", "discarded"} and row.next_at is None
    return over and (row.settled_at or 0) < before
