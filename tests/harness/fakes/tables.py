"""What a store holds, in memory: its clock stands still until it is told to move."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.instant import span_ms
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.domain.replay import HOLDING
from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.policy.delivery_row import DeliveryRow
from disconnect_fanout.policy.plan import said_again
from disconnect_fanout.policy.transition import Transition


@dataclass(slots=True)
class FakeEvent:
    """A recorded event."""

    event: DisconnectEvent
    content_hash: str
    recipients: int
    received_at: int
    copies: int = 0
    writer: str = ""
    near_misses: int = 0


@dataclass(slots=True)
class FakeJob:
    """A replay with its items' states by delivery id."""

    rate_per_s: float | None
    items: dict[str, str]
    reconnected: int
    include_reconnected: bool = False
    state: str = "running"
    slot_at: int = 0
    reasons: dict[str, str | None] = field(default_factory=dict)

    def copy(self) -> "FakeJob":
        """Return one that does not change with this one."""
        return replace(self, items=dict(self.items), reasons=dict(self.reasons))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a disk holds."""

    events: dict[str, FakeEvent]
    deliveries: dict[str, DeliveryRow]
    attempts: dict[tuple[str, int], Attempt]
    jobs: dict[str, FakeJob]
    duties: dict[str, tuple[str, int]]


@dataclass(slots=True)
class FakeTables:
    """The tables and the clock that all fakes of one installation share.

    Attributes:
        now_ms: the database's clock.
        reachable: False is an outage.
        guilty: events that are refused for what they hold.
        refusal: what the database refuses every event with, if it does.
        commits: transactions so far.
        outages: how often it has failed somebody.
        connects: content hash and arrival of each connect event that was learnt.
        new_token: makes leases and names of jobs.
    """

    now_ms: int = 1_763_740_000_000
    reachable: bool = True
    guilty: set[str] = field(default_factory=set)
    refusal: Exception | None = None
    commits: int = 0
    outages: int = 0
    platforms: dict[str, Platform] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    events: dict[str, FakeEvent] = field(default_factory=dict)
    deliveries: dict[str, DeliveryRow] = field(default_factory=dict)
    attempts: dict[tuple[str, int], Attempt] = field(default_factory=dict)
    jobs: dict[str, FakeJob] = field(default_factory=dict)
    duties: dict[str, tuple[str, int]] = field(default_factory=dict)
    connects: dict[str, tuple[str, int]] = field(default_factory=dict)
    new_token: Callable[[], str] = lambda: uuid.uuid4().hex
    _disk: Snapshot = field(default_factory=lambda: Snapshot({}, {}, {}, {}, {}))
    _on_its_way: list[Snapshot] = field(default_factory=list)

    def pass_time(self, seconds: float) -> None:
        """Move the clock."""
        self.now_ms += span_ms(seconds)

    def reach(self) -> None:
        """Be there, or raise as a database in an outage does."""
        if not self.reachable:
            self.outages += 1
            raise StoreUnreachable("the fake store is switched off")

    def intended(self) -> None:
        """End a transaction whose commit need not reach the disk."""
        self._on_its_way.append(self._snapshot())

    def recorded(self) -> None:
        """End a transaction that is on the disk, and with it all that came before."""
        self._on_its_way.clear()
        self._disk = self._snapshot()

    def on_disk(self, event_id: str) -> bool:
        """Tell whether a crash would leave this event."""
        return event_id in self._disk.events

    def crash(self, kept: int = 0) -> None:
        """Lose what no commit has brought to the disk, but for the ``kept`` oldest intents.

        A log is written in its order: who is lost takes all along that came later.
        """
        self.outages += 1
        left = [self._disk, *self._on_its_way][: kept + 1][-1]
        self._on_its_way.clear()
        self.events = {one: replace(event) for one, event in left.events.items()}
        self.deliveries = dict(left.deliveries)
        self.attempts = dict(left.attempts)
        self.jobs = {one: job.copy() for one, job in left.jobs.items()}
        self.duties = dict(left.duties)
        self._disk = self._snapshot()

    @property
    def volatile(self) -> int:
        """How many commits a crash may take."""
        return len(self._on_its_way)

    def _snapshot(self) -> Snapshot:
        return Snapshot(
            events={one: replace(event) for one, event in self.events.items()},
            deliveries=dict(self.deliveries),
            attempts=dict(self.attempts),
            jobs={one: job.copy() for one, job in self.jobs.items()},
            duties=dict(self.duties),
        )

    def row(self, delivery_id: str) -> DeliveryRow:
        """Return a row as it reads now."""
        return replace(self.deliveries[delivery_id], read_at=self.now_ms)

    def rows(self) -> list[DeliveryRow]:
        """Return all rows, in the order of their ids."""
        return self.where(lambda _row: True)

    def where(self, test: Callable[[DeliveryRow], object]) -> list[DeliveryRow]:
        """Return the rows that pass a test (of what does not depend on now), by their ids."""
        return [self.row(one) for one in sorted(r.id for r in self.deliveries.values() if test(r))]

    def save(self, rows: Iterable[DeliveryRow]) -> None:
        """Write rows back."""
        self.commits += 1
        self.deliveries |= {row.id: row for row in rows}

    def note(self, delivery_id: str, attempt: Attempt) -> None:
        """Write an attempt; only a guess gives way to it."""
        there = self.attempts.get((delivery_id, attempt.number))
        if there is None or there.result == "interrupted":
            self.attempts[delivery_id, attempt.number] = attempt

    def write(self, change: Transition) -> None:
        """Write a row, the attempt that was cut off, and the ends of items that wait for it."""
        self.save([change.after])
        if change.cut_off is not None:
            self.note(change.after.id, change.cut_off)
        if change.closes_items:
            self._close_items(change.after.id, delivered=bool(change.delivered))

    def _close_items(self, delivery_id: str, *, delivered: bool) -> None:
        for job in self.jobs.values():
            if job.items.get(delivery_id) == "released":
                job.items[delivery_id] = "delivered" if delivered else "failed"

    def came_back(self, row: DeliveryRow) -> bool:
        """Tell whether its user has linked the platform again since the disconnect."""
        event = self.events[row.event_id].event
        return any(
            link.platform_id == row.platform_id and said_again(link, event) for link in self.links
        )

    def waiting_jobs(self, row: DeliveryRow) -> dict[str, FakeJob]:
        """Return the jobs, not cancelled, that wait for the end of a delivery."""
        return {
            name: job
            for name, job in self.jobs.items()
            if job.items.get(row.id) == "released" and job.state != "cancelled"
        }

    def held(self, row: DeliveryRow) -> bool:
        """Tell whether its replay is paused or cancelled."""
        return row.job in self.jobs and self.jobs[row.job].state in HOLDING
