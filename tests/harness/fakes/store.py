"""The worker's ports in memory. They pass the same contract suite as the databases."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace

from tests.harness.fakes.tables import FakeEvent, FakeTables

from disconnect_fanout.domain.delivery import LeasedDelivery, Progress
from disconnect_fanout.domain.event import DisconnectEvent, User
from disconnect_fanout.domain.instant import span_ms
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.flow.due import Claim, Expedited
from disconnect_fanout.flow.fact import DependencyChanged, Observe
from disconnect_fanout.flow.intent import Intent, PlannedDelivery, Registration
from disconnect_fanout.flow.outage import DataRefused, StoreRefuses
from disconnect_fanout.policy.change import Attempted, Barrier, Change, CopySeen
from disconnect_fanout.policy.delivery_row import (
    DeliveryRow,
    expedited,
    given_back,
    lapsed,
    leased,
    returned,
)
from disconnect_fanout.policy.settlement import concerns, disabled_platform, settle
from disconnect_fanout.policy.transition import Transition


class FakePlatformSource:
    """``flow.directory.PlatformSource``."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables

    async def platforms(self) -> Sequence[Platform]:
        """Return all of them."""
        self._tables.reach()
        return [self._tables.platforms[one] for one in sorted(self._tables.platforms)]


class FakeEventStore:
    """``flow.resolver.EventStore``; in an outage it raises at once."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables

    @property
    def outages(self) -> int:
        """How often the database has failed us so far."""
        return self._tables.outages

    async def links(self, events: Sequence[DisconnectEvent]) -> Sequence[Sequence[Link]]:
        """Return the candidate links for each event."""
        self._tables.reach()
        return [tuple(link for link in self._tables.links if may_count(link, one.user))
                for one in events]  # fmt: skip

    async def register(self, intents: Sequence[Intent]) -> Sequence[Registration]:
        """Insert those events that are new, with their deliveries."""
        if self._tables.refusal is not None:
            raise self._tables.refusal
        if any(intent.event.id in self._tables.guilty for intent in intents):
            raise DataRefused("CheckViolationError", "23514")
        return self.write(intents, self._tables.new_token(), again=False)

    async def probe(self) -> None:
        """Return if an event that holds nothing would be taken."""
        self._tables.reach()
        if self._tables.refusal is not None:
            raise StoreRefuses(str(self._tables.refusal))

    def write(
        self, intents: Sequence[Intent], writer: str, *, again: bool
    ) -> Sequence[Registration]:
        """Try once; ``writer`` is the token by which a further try recognises its events."""
        self._tables.reach()
        fresh: set[str] = set()
        answers = [self._register(intent, writer, fresh, again=again) for intent in intents]
        self._tables.intended()
        return answers

    def _register(
        self, intent: Intent, writer: str, fresh: set[str], *, again: bool
    ) -> Registration:
        there = self._tables.events.get(intent.event.id)
        if intent.event.id in fresh or (there is not None and there.writer != writer):
            same = there is not None and there.content_hash == intent.content_hash
            return Registration.KNOWN if same else Registration.CONFLICT
        fresh.add(intent.event.id)
        now = self._tables.now_ms
        self._tables.events.setdefault(
            intent.event.id,
            FakeEvent(
                intent.event,
                intent.content_hash,
                len(intent.deliveries),
                now,
                writer=writer,
                near_misses=intent.near_misses,
            ),
        )
        self._tables.save(self._planned(intent, one, now) for one in intent.deliveries)
        if again and self._overtaken(intent):
            return Registration.KNOWN
        return Registration.NEW

    def _overtaken(self, intent: Intent) -> bool:
        """Tell whether another has claimed some of it; what is left is due for whoever comes."""
        leased = [one for one in intent.deliveries if one.lease is not None]
        rows = [self._tables.row(one.id) for one in leased]
        held = [row for row, one in zip(rows, leased, strict=True) if row.lease == one.lease]
        if len(held) == len(leased):
            return False
        self._tables.save(replace(row, lease=None, next_at=row.read_at) for row in held)
        return True

    def _planned(self, intent: Intent, planned: PlannedDelivery, now: int) -> DeliveryRow:
        """A row that is there is ours, from a try whose answer was lost: its lease is renewed."""
        new = new_row(intent.event.id, planned, now)
        there = self._tables.deliveries.get(planned.id)
        if there is None:
            return new
        mine = there.lease is not None and there.lease == planned.lease
        return replace(there, next_at=new.next_at) if mine else there


class FakeLedger:
    """``flow.recorder.Ledger``.

    Args:
        sleep: called between two tries in an outage.
    """

    def __init__(
        self,
        tables: FakeTables,
        observe: Observe,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._tables = tables
        self._observe = observe
        self._sleep = sleep

    async def commit(self, changes: Sequence[Change]) -> Collection[Change]:
        """Write all changes; wait for the end of an outage."""
        if not self._tables.reachable:
            self._observe(DependencyChanged("database", reachable=False))
            while not self._tables.reachable:
                await self._sleep(0.1)
            self._observe(DependencyChanged("database", reachable=True))
        self._tables.commits += 1
        fenced, written = list[Change](), list[bool]()
        for change in changes:
            if self._fenced(change):
                fenced.append(change)
            written.append(self._apply(change))
        copies = any(isinstance(change, CopySeen) for change in changes)
        if any(written) or not copies:  # else nothing was written, and nothing is flushed
            self._tables.recorded()
        return fenced

    def _fenced(self, change: Change) -> bool:
        if isinstance(change, Barrier | CopySeen):
            return False
        there = change.delivery_id in self._tables.deliveries
        return not there or not concerns(change, self._tables.row(change.delivery_id))

    def _apply(self, change: Change) -> bool:
        """Write one change; tell whether it changed anything."""
        if isinstance(change, Barrier):
            return False
        if isinstance(change, CopySeen):
            if change.event_id in self._tables.events:
                self._tables.events[change.event_id].copies += 1
            return change.event_id in self._tables.events
        if change.delivery_id not in self._tables.deliveries:
            return False
        before = self._tables.row(change.delivery_id)
        after = settle(before, change)
        self._tables.write(Transition(before, after))
        if isinstance(change, Attempted):
            self._tables.note(change.delivery_id, change.attempt)
            platform = self._tables.platforms.get(change.platform_id)
            same = platform is not None and platform.revision == change.platform_revision
            if platform and same and disabled_platform(before, change):
                self._tables.platforms[platform.id] = replace(platform, enabled=False)
        return after != before


class FakeDueStore:
    """``flow.due.DueStore``."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables

    async def due_platforms(self, platform_ids: Collection[str]) -> Collection[str]:
        """Return those of the platforms that have at least one row due now."""
        self._tables.reach()
        known = set(platform_ids) & self._tables.platforms.keys()
        now = self._tables.now_ms
        rows = self._tables.deliveries.values()
        return {row.platform_id for row in rows if row.next_at and row.next_at <= now} & known

    async def claim(
        self,
        platform_id: str,
        *,
        limit: int,
        lease_s: float,
        holding: Collection[str],
        reclaim: bool,
    ) -> Sequence[Claim]:
        """Lease up to ``limit`` due rows of one platform, the longest due first."""
        self._tables.reach()
        return self.take(self.free(platform_id, holding, reclaim=reclaim)[:limit], lease_s)

    def free(
        self, platform_id: str, holding: Collection[str], *, reclaim: bool
    ) -> list[DeliveryRow]:
        """Return due rows that may be claimed."""
        now = self._tables.now_ms
        return [
            row
            for row in self._waiting(platform_id)
            if (row.next_at or 0) <= now
            and row.id not in holding
            and not self._tables.held(row)
            and (reclaim or row.lease is None)
        ]

    def take(self, rows: Sequence[DeliveryRow], lease_s: float) -> Sequence[Claim]:
        """Lease rows as they were read: in the same transaction, or it is no claim."""
        if not rows:
            return []
        rows = [row for row in rows if not self._left_out(row)]
        token = self._tables.new_token()
        claims = [self._claimed(row, token, span_ms(lease_s)) for row in rows]
        self._tables.intended()
        return claims

    def give_back(self, claims: Sequence[Claim]) -> None:
        """Make due again what a claim has leased whose answer was lost."""
        held = {one.delivery.id: one.delivery.lease for one in claims}
        rows = self._tables.where(lambda row: row.lease and held.get(row.id) == row.lease)
        self._tables.save(given_back(row) for row in rows)
        if rows:
            self._tables.intended()

    def _left_out(self, row: DeliveryRow) -> bool:
        """Give up a replayed row whose user has come back; tell whether it was."""
        if row.job is None or not self._tables.came_back(row):
            return False
        jobs = self._tables.waiting_jobs(row)
        including = {name: job for name, job in jobs.items() if job.include_reconnected}
        if any(job.state == "running" for job in including.values()):
            return False
        reason = next(
            (job.reasons[row.id] for job in jobs.values() if job.reasons.get(row.id)), None
        )
        heir = next(iter(including), None)
        self._tables.write(Transition(row, returned(lapsed(row), reason, heir)))
        for name, job in jobs.items():
            if name in including:
                job.reasons[row.id] = reason
            else:
                job.items[row.id] = "reconnected"
        return True

    async def expedite(self, platform_id: str, limit: int) -> Expedited:
        """Make up to ``limit`` waiting rows due, those first whose turn is next."""
        self._tables.reach()
        now = self._tables.now_ms
        early = [
            row
            for row in self._waiting(platform_id)
            if row.lease is None and now < (row.next_at or 0) and not self._tables.held(row)
        ]
        permitted = [row for row in early if (row.not_before or 0) <= now]
        if permitted:
            self._tables.save(expedited(row) for row in permitted[:limit])
            self._tables.intended()
        if len(permitted) >= limit:
            return Expedited(limit)
        later = [
            row.not_before or 0 for row in early if now < (row.not_before or 0) < (row.next_at or 0)
        ]
        return Expedited(len(permitted), (min(later) - now) / 1000 if later else None)

    def _waiting(self, platform_id: str) -> list[DeliveryRow]:
        rows = self._tables.where(lambda row: row.next_at and row.platform_id == platform_id)
        return sorted(rows, key=lambda row: row.next_at or 0)

    def _claimed(self, row: DeliveryRow, token: str, lease_ms: int) -> Claim:
        change = Transition(row, leased(lapsed(row), token, lease_ms))
        self._tables.write(change)
        mine = change.after
        age = (row.read_at - row.born_at) / 1000
        progress = Progress(
            mine.attempts, mine.step, age, mine.replays, mine.delivered, mine.interruptions
        )
        event = self._tables.events[row.event_id].event
        delivery = LeasedDelivery(row.id, row.platform_id, event, token, progress)
        return Claim(delivery, interrupted=change.cut_off is not None)


def may_count(link: Link, user: User) -> bool:
    """Tell whether a link is found by a user's address or google id."""
    same_google_id = link.google_id is not None and link.google_id == user.google_id
    return link.may_be_of(user) or same_google_id


def new_row(event_id: str, planned: PlannedDelivery, now: int) -> DeliveryRow:
    """Return a delivery as it is inserted."""
    return DeliveryRow(
        id=planned.id,
        event_id=event_id,
        platform_id=planned.platform_id,
        state="pending",
        attempts=0,
        forgotten=None,
        step=0,
        replays=0,
        next_at=None if planned.dead else now + span_ms(planned.lease_s),
        not_before=None,
        hastened=False,
        lease=planned.lease,
        born_at=now,
        reason=planned.dead,
        decided_at=now if planned.dead else None,
        last_result=None,
        last_status=None,
        last_error=None,
        first_failed_at=None,
        settled_at=None,
        job=None,
        interruptions=0,
        read_at=now,
    )
