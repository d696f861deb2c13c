"""What a store holds, in memory: its clock stands still until it is told to move."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from disconnect_fanout.adapters.store.delivery_row import DeliveryRow
from disconnect_fanout.adapters.store.instant import span_ms
from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.flow.outage import StoreUnreachable


@dataclass(slots=True)
class FakeEvent:
    """A recorded event."""

    event: DisconnectEvent
    content_hash: str
    recipients: int
    copies: int = 0


@dataclass(slots=True)
class FakeJob:
    """A replay with its items' states by delivery id."""

    rate_per_s: float | None
    items: dict[str, str]
    reconnected: int
    state: str = "running"
    slot_at: int = 0


@dataclass(slots=True)
class FakeTables:
    """The tables and the clock that all fakes of one installation share.

    Attributes:
        now_ms: the database's clock.
        reachable: False is an outage.
        commits: transactions so far.
    """

    now_ms: int = 1_763_740_000_000
    reachable: bool = True
    commits: int = 0
    platforms: dict[str, Platform] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    events: dict[str, FakeEvent] = field(default_factory=dict)
    deliveries: dict[str, DeliveryRow] = field(default_factory=dict)
    attempts: dict[tuple[str, int], Attempt] = field(default_factory=dict)
    jobs: dict[str, FakeJob] = field(default_factory=dict)
    duties: dict[str, tuple[str, int]] = field(default_factory=dict)

    def pass_time(self, seconds: float) -> None:
        """Move the clock."""
        self.now_ms += span_ms(seconds)

    def reach(self) -> None:
        """Be there, or raise as a database in an outage does."""
        if not self.reachable:
            raise StoreUnreachable("the fake store is switched off")

    def row(self, delivery_id: str) -> DeliveryRow:
        """Return a row as it reads now."""
        return replace(self.deliveries[delivery_id], read_at=self.now_ms)

    def rows(self) -> list[DeliveryRow]:
        """Return all rows, in the order of their ids."""
        return [self.row(one) for one in sorted(self.deliveries)]

    def save(self, rows: Iterable[DeliveryRow]) -> None:
        """Write rows back."""
        self.commits += 1
        for row in rows:
            before, self.deliveries[row.id] = self.deliveries.get(row.id), row
            if before is not None:
                self._close_items(before, row)

    def note(self, delivery_id: str, attempt: Attempt) -> None:
        """Write an attempt; only a guess gives way to it."""
        there = self.attempts.get((delivery_id, attempt.number))
        if there is None or there.result == "interrupted":
            self.attempts[delivery_id, attempt.number] = attempt

    def _close_items(self, before: DeliveryRow, after: DeliveryRow) -> None:
        if after.state == "delivered" and before.state != "delivered":
            end = "delivered"
        elif after.reason is not None and before.reason is None:
            end = "failed"
        else:
            return
        for job in self.jobs.values():
            if job.items.get(after.id) == "released":
                job.items[after.id] = end
