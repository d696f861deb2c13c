"""What a store holds, in memory: its clock stands still until it is told to move."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from disconnect_fanout.adapters.store.delivery_row import DeliveryRow
from disconnect_fanout.adapters.store.instant import span_ms
from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.domain.replay import HOLDING
from disconnect_fanout.flow.outage import StoreUnreachable


@dataclass(slots=True)
class FakeEvent:
    """A recorded event."""

    event: DisconnectEvent
    content_hash: str
    recipients: int
    received_at: int
    copies: int = 0


@dataclass(slots=True)
class FakeJob:
    """A replay with its items' states by delivery id."""

    rate_per_s: float | None
    items: dict[str, str]
    reconnected: int
    state: str = "running"
    slot_at: int = 0
    reasons: dict[str, str | None] = field(default_factory=dict)


@dataclass(slots=True)
class FakeTables:
    """The tables and the clock that all fakes of one installation share.

    Attributes:
        now_ms: the database's clock.
        reachable: False is an outage.
        commits: transactions so far.
        outages: how often it has failed somebody.
    """

    now_ms: int = 1_763_740_000_000
    reachable: bool = True
    commits: int = 0
    outages: int = 0
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
            self.outages += 1
            raise StoreUnreachable("the fake store is switched off")

    def crash(self) -> None:
        """Lose what no commit has brought to the disk: events without an attempt."""
        self.outages += 1
        kept = {row.event_id for row in self.deliveries.values() if row.attempts}
        self.events = {one: self.events[one] for one in self.events if one in kept}
        rows = self.deliveries.values()
        self.deliveries = {row.id: row for row in rows if row.event_id in kept}

    def row(self, delivery_id: str) -> DeliveryRow:
        """Return a row as it reads now."""
        return replace(self.deliveries[delivery_id], read_at=self.now_ms)

    def rows(self) -> list[DeliveryRow]:
        """Return all rows, in the order of their ids."""
        return [self.row(one) for one in sorted(self.deliveries)]

    def save(self, rows: Iterable[DeliveryRow]) -> None:
        """Write rows back."""
        self.commits += 1
        self.deliveries |= {row.id: row for row in rows}

    def note(self, delivery_id: str, attempt: Attempt) -> None:
        """Write an attempt; only a guess gives way to it."""
        there = self.attempts.get((delivery_id, attempt.number))
        if there is None or there.result == "interrupted":
            self.attempts[delivery_id, attempt.number] = attempt

    def close_items(self, delivery_id: str, *, told: bool) -> None:
        """Close the items of a delivery that ended."""
        for job in self.jobs.values():
            if job.items.get(delivery_id) == "released":
                job.items[delivery_id] = "delivered" if told else "failed"

    def held(self, row: DeliveryRow) -> bool:
        """Tell whether its replay is paused or cancelled."""
        return row.job in self.jobs and self.jobs[row.job].state in HOLDING
