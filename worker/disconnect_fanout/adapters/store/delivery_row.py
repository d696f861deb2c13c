"""A delivery's row, and every way in which it changes.

Writers read rows under lock, change them here, and write them back; what a change means is decided
in this file and in ``settlement``, and nowhere in SQL.
"""

from dataclasses import dataclass, replace

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.outcome import Result


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """What ``deliveries`` holds of it, and when it was read.

    Attributes:
        read_at: the database's clock, milliseconds; "now" for every change made to this reading.
    """

    id: str
    event_id: str
    platform_id: str
    state: str
    attempts: int
    step: int
    replays: int
    next_at: int | None
    not_before: int | None
    lease: str | None
    born_at: int
    reason: str | None
    decided_at: int | None
    last_result: str | None
    last_status: int | None
    first_failed_at: int | None
    settled_at: int | None
    job: str | None
    read_at: int

    @property
    def decided(self) -> bool:
        """No more requests; the dead letter is on the way."""
        return self.state == DeliveryState.PENDING and self.reason is not None

    @property
    def standing(self) -> bool:
        """It has an open dead letter, or will have one in a moment."""
        return self.decided or self.state == DeliveryState.DEAD


def leased(row: DeliveryRow, token: str, lease_ms: int) -> DeliveryRow:
    """Give the row to one worker for a while."""
    return replace(row, lease=token, next_at=row.read_at + lease_ms)


def interrupted(row: DeliveryRow) -> DeliveryRow:
    """Count the attempt whose worker ended before it could record the outcome."""
    return replace(
        row,
        attempts=row.attempts + 1,
        last_result=Result.INTERRUPTED,
        last_status=None,
        first_failed_at=row.first_failed_at or row.read_at,
    )


def given_back(row: DeliveryRow) -> DeliveryRow:
    """Make the row due again, as if it had never been claimed."""
    return replace(row, lease=None, next_at=row.read_at)


def hastened(row: DeliveryRow) -> DeliveryRow:
    """Make a waiting row due now, or as early as the platform permits."""
    return replace(row, next_at=max(row.read_at, row.not_before or 0))


def doomed(row: DeliveryRow, reason: DeadReason) -> DeliveryRow:
    """Decide that there are no more requests."""
    return replace(
        row, reason=reason, decided_at=row.read_at, lease=None, next_at=None, not_before=None
    )


def replayed(row: DeliveryRow, slot_at: int, job: str) -> DeliveryRow:
    """Start a fresh schedule at the given slot, which nothing makes earlier."""
    return replace(
        row,
        state=DeliveryState.PENDING,
        step=0,
        replays=row.replays + 1,
        next_at=slot_at,
        not_before=slot_at,
        born_at=slot_at,
        reason=None,
        decided_at=None,
        settled_at=None,
        job=job,
    )
