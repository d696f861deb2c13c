"""The operator's side of the store in memory: dead letters, replays, duties."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import attrgetter

from tests.harness.fakes.tables import FakeJob, FakeTables

from disconnect_fanout.domain.dead_letter import DeadLetter, DeadReason
from disconnect_fanout.domain.instant import from_ms, maybe_from_ms, span_ms
from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.domain.replay import ReplayProgress, ReplayState, WrongState
from disconnect_fanout.policy.delivery_row import (
    DeliveryRow,
    doomed,
    lapsed,
    replayed,
    reslotted,
    returned,
    taken_over,
)
from disconnect_fanout.policy.replay_item import ItemState, at_its_turn, taken_back
from disconnect_fanout.policy.replay_slots import (
    most_unsent,
    slots,
    slots_after_pause,
)
from disconnect_fanout.policy.transition import Transition
from disconnect_fanout.policy.undeliverable import undeliverable

_REPORT_FIRST_S = 10.0
_decided = attrgetter("decided")
_standing = attrgetter("standing")


def _dead(row: DeliveryRow) -> bool:
    return row.state == "dead"


class FakeDeadLetterStore:
    """``flow.letters.DeadLetterStore``."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables

    async def decided(self, delivery_ids: Collection[str]) -> Sequence[DeadLetter]:
        """Return the letters of those among the ids whose row is decided."""
        return [_letter(row) for row in self._rows(_decided) if row.id in delivery_ids]

    async def overdue(self, older_than_s: float, limit: int) -> Sequence[DeadLetter]:
        """Return letters of rows that have been decided for so long that their worker is gone."""
        before = self._tables.now_ms - span_ms(older_than_s)
        rows = [row for row in self._rows(_decided) if (row.decided_at or 0) <= before]
        return [_letter(row) for row in sorted(rows, key=lambda row: row.decided_at or 0)[:limit]]

    async def standing(self, keys: Collection[str]) -> Mapping[str, int]:
        """Return, for those ids whose row is decided or dead, their count of replays."""
        return {row.id: row.replays for row in self._rows(_standing) if row.id in keys}

    async def dead(self, after: str, limit: int) -> Sequence[DeadLetter]:
        """Return the letters of dead rows with ids above ``after``, in the order of their ids."""
        rows = [row for row in self._rows(_dead) if row.id > after]
        return [_letter(row) for row in rows[:limit]]

    async def count_dead(self) -> Mapping[str, int]:
        """Return the number of open dead letters by platform."""
        return Counter(row.platform_id for row in self._rows(_dead))

    async def dead_letter_undeliverable(self) -> int:
        """Decide pending, unleased rows of disabled or unknown platforms; return how many."""
        abandoned = self._tables.now_ms - span_ms(_REPORT_FIRST_S)
        rows = [
            row
            for row in self._rows(lambda row: row.next_at and self._reason(row.platform_id))
            if row.lease is None or (row.next_at or 0) <= abandoned
        ]
        for row in rows:
            self._condemn(row)
        if rows:
            self._tables.recorded()
        return len(rows)

    def _condemn(self, row: DeliveryRow) -> None:
        reason = self._reason(row.platform_id)
        assert reason is not None
        self._tables.write(Transition(row, doomed(lapsed(row), reason)))

    def _reason(self, platform_id: str) -> DeadReason | None:
        platform = self._tables.platforms.get(platform_id)
        return undeliverable(None if platform is None else platform.enabled)

    def _rows(self, test: Callable[[DeliveryRow], object]) -> list[DeliveryRow]:
        self._tables.reach()
        return self._tables.where(test)


class FakeReplayStore:
    """``flow.replayer.ReplayStore``, and the jobs that it paces."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables

    async def create(
        self,
        selection: Sequence[str],
        *,
        rate_per_s: float | None = None,
        reconnected: int = 0,
        again: bool = False,
        include_reconnected: bool = False,
    ) -> str:
        """Store a job with its selection."""
        job = self._tables.new_token()[:12]
        known = [self._tables.row(one) for one in selection if one in self._tables.deliveries]
        items: dict[str, str] = {
            row.id: ItemState.AGAIN if again and row.delivered else ItemState.WAITING
            for row in known
        }
        self._tables.jobs[job] = FakeJob(rate_per_s, items, reconnected, include_reconnected)
        self._tables.recorded()
        return job

    async def progress(self, job: str) -> ReplayProgress | None:
        """Return how far the job has come."""
        found = self._tables.jobs.get(job)
        if found is None:
            return None
        counts = Counter(found.items.values())
        back = counts["reconnected"]
        pending = len(found.items) - back - counts["delivered"] - counts["failed"]
        return ReplayProgress(
            job, found.state, len(found.items) - back, found.reconnected + back,
            counts["delivered"], counts["failed"], pending,
        )  # fmt: skip

    async def all(self, limit: int) -> list[ReplayProgress]:
        """Return how far the jobs have come, the newest first."""
        found = [await self.progress(job) for job in reversed(self._tables.jobs)]
        return [one for one in found if one is not None][:limit]

    async def pause(self, job: str) -> None:
        """Hold everything of a job."""
        self._move(job, (ReplayState.RUNNING,), ReplayState.PAUSED)

    async def resume(self, job: str) -> None:
        """Let it go on, with new slots for what was released and not tried."""
        if not self._move(job, (ReplayState.PAUSED,), ReplayState.RUNNING):
            return
        found = self._tables.jobs[job]
        rows = [
            row
            for row in self._tables.rows()
            if row.job == job
            and row.under_way
            and not row.lease
            and (row.next_at == row.born_at or (row.next_at or 0) <= self._tables.now_ms)
        ]
        if found.rate_per_s is None:
            return
        free = slots_after_pause(found.rate_per_s, self._tables.now_ms, len(rows))
        for row, at in zip(rows, free, strict=True):
            self._tables.save([reslotted(row, at)])
            found.slot_at = at

    async def cancel(self, job: str) -> None:
        """Send nothing more of it."""
        self._move(job, (ReplayState.RUNNING, ReplayState.PAUSED), ReplayState.CANCELLED)

    async def advance(self, horizon_s: float) -> int:
        """Release what the rate of each running job allows within the coming ``horizon_s``."""
        self._tables.reach()
        before = self._tables.commits, [one.state for one in self._tables.jobs.values()]
        for job, one in self._tables.jobs.items():
            if one.state == ReplayState.CANCELLED:
                self._take_back(job, one)
        running = [job for job, one in self._tables.jobs.items() if one.state == "running"]
        released = sum(self._turn(job, span_ms(horizon_s)) for job in running)
        if before != (self._tables.commits, [one.state for one in self._tables.jobs.values()]):
            self._tables.recorded()
        return released

    def _move(self, job: str, before: Collection[ReplayState], after: ReplayState) -> bool:
        found = self._tables.jobs.get(job)
        if found is None:
            raise NotFound("replay", job)
        if found.state == after:
            return False
        if found.state not in before:
            raise WrongState(found.state)
        found.state = after
        self._tables.recorded()
        return True

    def _turn(self, name: str, horizon_ms: int) -> int:
        job = self._tables.jobs[name]
        free = slots(job.rate_per_s, job.slot_at, self._tables.now_ms, horizon_ms)
        congested = self._congested(name, most_unsent(job.rate_per_s, horizon_ms))
        stuck = self._held_by_others(name, congested)[: len(free)]
        for row in stuck:
            if not job.include_reconnected and self._tables.came_back(row):
                job.items[row.id] = "reconnected"
                continue
            job.reasons[row.id] = self._tables.jobs[row.job or ""].reasons.get(row.id)
            job.slot_at = free.pop(0)
            self._tables.write(Transition(row, taken_over(lapsed(row), job.slot_at, name)))
        room = len(free)
        items = sorted(
            (state == ItemState.AGAIN, one, state)
            for one, state in job.items.items()
            if state in (ItemState.WAITING, ItemState.AGAIN)
            and self._tables.row(one).platform_id not in congested
        )[:room]
        for _, delivery_id, state in items:
            row = self._tables.row(delivery_id)
            back = not job.include_reconnected and self._tables.came_back(row)
            job.items[delivery_id] = at_its_turn(state, row, back=back)
            if job.items[delivery_id] == "released" and not row.under_way:
                job.reasons[delivery_id] = row.reason
                job.slot_at = free.pop(0)
                self._tables.write(Transition(row, replayed(row, job.slot_at, name)))
        if (
            free
            and not items
            and not stuck
            and not {ItemState.WAITING, ItemState.AGAIN, "released"} & set(job.items.values())
        ):
            job.state = "done"
        return len(stuck) + len(items)

    def _held_by_others(self, name: str, congested: Collection[str]) -> list[DeliveryRow]:
        """What a job waits for, and a paused or cancelled one keeps from being sent."""
        mine = self._tables.jobs[name].items
        rows = self._tables.where(lambda row: row.next_at and mine.get(row.id) == "released")
        return [
            row
            for row in rows
            if row.job != name
            and self._tables.held(row)
            and not row.in_hand
            and row.platform_id not in congested
        ]

    def _congested(self, job: str, most: int) -> set[str]:
        unsent = Counter(
            row.platform_id
            for row in self._tables.where(lambda row: row.job == job and row.next_at)
            if not row.lease and (row.next_at or 0) <= self._tables.now_ms
        )
        return {one for one, count in unsent.items() if count >= most}

    def _take_back(self, name: str, job: FakeJob) -> None:
        for delivery_id, state in list(job.items.items()):
            row = self._tables.row(delivery_id)
            if state != "released" or row.in_hand:
                continue
            job.items[delivery_id] = taken_back(row)
            if row.job != name or not row.under_way:
                continue
            heir, reason = self._heir(name, delivery_id), job.reasons.get(delivery_id)
            self._tables.write(Transition(row, returned(lapsed(row), reason, heir)))
            if heir is not None:
                self._tables.jobs[heir].reasons[delivery_id] = reason

    def _heir(self, name: str, delivery_id: str) -> str | None:
        for other, job in sorted(
            self._tables.jobs.items(), key=lambda one: one[1].state != "running"
        ):
            waits = job.items.get(delivery_id) == "released" and job.state != "cancelled"
            if other != name and waits:
                return other
        return None


class FakeLeaderLease:
    """One holder at a time."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables

    async def hold(self, name: str, holder: str, for_s: float) -> bool:
        """Take the duty, or hold on to it."""
        self._tables.reach()
        now = self._tables.now_ms
        there, until = self._tables.duties.get(name, (holder, 0))
        if there != holder and until > now:
            return False
        self._tables.duties[name] = (holder, now + span_ms(for_s))
        self._tables.intended()
        return True


def _letter(row: DeliveryRow) -> DeadLetter:
    return DeadLetter(
        delivery_id=row.id,
        event_id=row.event_id,
        platform_id=row.platform_id,
        reason=DeadReason(row.reason or ""),
        attempts=row.attempts,
        last_result=row.last_result,
        last_status=row.last_status,
        first_failed_at=maybe_from_ms(row.first_failed_at),
        dead_at=from_ms(row.decided_at or 0),
        replays=row.replays,
    )
