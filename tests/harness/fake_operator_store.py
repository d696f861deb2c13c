"""The operator's side of the store in memory: dead letters, replays, duties."""

import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from tests.harness.fake_tables import FakeJob, FakeTables

from disconnect_fanout.adapters.store.attempt_rows import cut_off
from disconnect_fanout.adapters.store.delivery_row import (
    DeliveryRow,
    doomed,
    interrupted,
    replayed,
)
from disconnect_fanout.adapters.store.instant import from_ms, maybe_from_ms, span_ms
from disconnect_fanout.adapters.store.replay_job import ReplayProgress
from disconnect_fanout.adapters.store.replay_store import slots
from disconnect_fanout.domain.dead_letter import DeadLetter, DeadReason

_REPORT_FIRST_S = 10.0


class FakeDeadLetterStore:
    """``flow.letters.DeadLetterStore``."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables

    async def decided(self, delivery_ids: Collection[str]) -> Sequence[DeadLetter]:
        """Return the letters of those among the ids whose row is decided."""
        return [_letter(row) for row in self._rows() if row.decided and row.id in delivery_ids]

    async def overdue(self, older_than_s: float, limit: int) -> Sequence[DeadLetter]:
        """Return letters of rows that have been decided for so long that their worker is gone."""
        before = self._tables.now_ms - span_ms(older_than_s)
        rows = [row for row in self._rows() if row.decided and (row.decided_at or 0) <= before]
        return [_letter(row) for row in sorted(rows, key=lambda row: row.decided_at or 0)[:limit]]

    async def standing(self, keys: Collection[str]) -> Mapping[str, int]:
        """Return, for those ids whose row is decided or dead, their count of replays."""
        return {row.id: row.replays for row in self._rows() if row.standing and row.id in keys}

    async def dead(self, after: str, limit: int) -> Sequence[DeadLetter]:
        """Return the letters of dead rows with ids above ``after``, in the order of their ids."""
        rows = [row for row in self._rows() if row.state == "dead" and row.id > after]
        return [_letter(row) for row in rows[:limit]]

    async def count_dead(self) -> Mapping[str, int]:
        """Return the number of open dead letters by platform."""
        return Counter(row.platform_id for row in self._rows() if row.state == "dead")

    async def condemn_undeliverable(self) -> int:
        """Decide pending, unleased rows of disabled or unknown platforms; return how many."""
        abandoned = self._tables.now_ms - span_ms(_REPORT_FIRST_S)
        rows = [
            row
            for row in self._rows()
            if row.next_at is not None
            and (row.lease is None or row.next_at <= abandoned)
            and self._reason(row.platform_id) is not None
        ]
        for row in rows:
            self._condemn(row)
        return len(rows)

    def _condemn(self, row: DeliveryRow) -> None:
        counted = row if row.lease is None else interrupted(row)
        if row.lease is not None:
            self._tables.note(*cut_off(counted))
        reason = self._reason(row.platform_id)
        assert reason is not None
        self._tables.save([doomed(counted, reason)])

    def _reason(self, platform_id: str) -> DeadReason | None:
        platform = self._tables.platforms.get(platform_id)
        if platform is None:
            return DeadReason.UNKNOWN_PLATFORM
        return None if platform.enabled else DeadReason.ENDPOINT_DISABLED

    def _rows(self) -> list[DeliveryRow]:
        self._tables.reach()
        return self._tables.rows()


class FakeReplayStore:
    """``flow.replayer.ReplayStore``, and the jobs that it paces."""

    def __init__(self, tables: FakeTables) -> None:
        self._tables = tables

    async def create(
        self, selection: Sequence[str], *, rate_per_s: float | None = None, reconnected: int = 0
    ) -> str:
        """Store a job with its selection."""
        job = uuid.uuid4().hex[:12]
        known = {one: "waiting" for one in selection if one in self._tables.deliveries}
        self._tables.jobs[job] = FakeJob(rate_per_s, known, reconnected)
        return job

    async def progress(self, job: str) -> ReplayProgress | None:
        """Return how far the job has come."""
        found = self._tables.jobs.get(job)
        if found is None:
            return None
        counts = Counter(found.items.values())
        pending = counts["waiting"] + counts["released"]
        return ReplayProgress(
            job, found.state, len(found.items), found.reconnected,
            counts["delivered"], counts["failed"], pending,
        )  # fmt: skip

    async def advance(self, horizon_s: float) -> int:
        """Release what the rate of each running job allows within the coming ``horizon_s``."""
        self._tables.reach()
        running = [job for job, one in self._tables.jobs.items() if one.state == "running"]
        return sum(self._turn(job, span_ms(horizon_s)) for job in running)

    def _turn(self, name: str, horizon_ms: int) -> int:
        job = self._tables.jobs[name]
        free = slots(job.rate_per_s, job.slot_at, self._tables.now_ms, horizon_ms)
        turn = sorted(one for one, state in job.items.items() if state == "waiting")[: len(free)]
        for delivery_id in turn:
            row = self._tables.row(delivery_id)
            job.items[delivery_id] = "released"
            if row.standing:
                job.slot_at = free.pop(0)
                self._tables.save([replayed(row, job.slot_at, name)])
            elif row.state != "pending":
                job.items[delivery_id] = "delivered" if row.state == "delivered" else "failed"
        if free and not turn and not {"waiting", "released"} & set(job.items.values()):
            job.state = "done"
        return len(turn)


class FakeDuty:
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
        return True

    async def release(self, name: str, holder: str) -> None:
        """Lay the duty down, if it is this holder's."""
        if self._tables.duties.get(name, ("", 0))[0] == holder:
            del self._tables.duties[name]


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
