"""A delivery's row, and every way in which it changes.

Writers read rows under lock, change them here, and write them back; what a change means is decided
in this file and in ``settlement``, and nowhere in SQL.
"""

from dataclasses import dataclass, replace

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.outcome import Result
from disconnect_fanout.policy.lease import in_hand

MOST = 2**31 - 1
"""No counter rises above this: it is all that a column of the tables holds."""

PUT_OFF_MS = 3_600_000
"""How long a row is left alone whose event can't be opened."""


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """What ``deliveries`` holds of it, and when it was read.

    Attributes:
        forgotten: its user was; what its platform answers is not kept.
        interruptions: attempts of this round that were cut off.
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
    hastened: bool
    lease: str | None
    born_at: int
    reason: str | None
    decided_at: int | None
    last_result: str | None
    last_status: int | None
    last_error: str | None
    first_failed_at: int | None
    settled_at: int | None
    job: str | None
    forgotten: bool | None
    interruptions: int
    read_at: int

    @property
    def decided(self) -> bool:
        """No more requests; the dead letter is on the way."""
        return self.state == DeliveryState.PENDING and self.reason is not None

    @property
    def standing(self) -> bool:
        """It has an open dead letter, or will have one in a moment."""
        return self.decided or self.state == DeliveryState.DEAD

    @property
    def under_way(self) -> bool:
        """It waits for a request, or one is being made."""
        return self.next_at is not None

    @property
    def in_hand(self) -> bool:
        """A worker is sending it, or may still report that it has."""
        return in_hand(self.lease, self.next_at, self.read_at)

    @property
    def delivered(self) -> bool:
        """The platform knows. Requests that are made all the same tell it again."""
        return self.state == DeliveryState.DELIVERED


def leased(row: DeliveryRow, token: str, lease_ms: int) -> DeliveryRow:
    """Give the row to one worker for a while."""
    return replace(row, lease=token, next_at=row.read_at + lease_ms)


def interrupted(row: DeliveryRow) -> DeliveryRow:
    """Count the attempt whose worker ended before it could record the outcome."""
    return replace(
        row,
        attempts=_one_more(row.attempts),
        interruptions=_one_more(row.interruptions),
        last_result=Result.INTERRUPTED,
        last_status=None,
        last_error=Result.INTERRUPTED,
        first_failed_at=row.first_failed_at or row.read_at,
    )


def lapsed(row: DeliveryRow) -> DeliveryRow:
    """Count the attempt of a lease that has expired, if the row is under one."""
    return row if row.lease is None else interrupted(row)


def given_back(row: DeliveryRow, wait_ms: int = 0) -> DeliveryRow:
    """Make the row due again, now or a little later, as if it had never been claimed."""
    return replace(row, lease=None, next_at=row.read_at + wait_ms)


def expedited(row: DeliveryRow) -> DeliveryRow:
    """Make a waiting row due now, or as early as the platform permits."""
    return replace(row, next_at=max(row.read_at, row.not_before or 0), hastened=True)


def retried(row: DeliveryRow, wait_ms: int, asked_ms: int, step: int) -> DeliveryRow:
    """Give the row back to the schedule after a failure.

    A row that was hastened in vain keeps its next turn: of two waits in a row at most one is ever
    shortened, however often its platform seems to recover.
    """
    next_at = row.read_at + wait_ms
    earliest = row.read_at + asked_ms if asked_ms else None
    return replace(
        row,
        step=step,
        lease=None,
        next_at=next_at,
        not_before=next_at if row.hastened else earliest,
        hastened=False,
    )


def doomed(row: DeliveryRow, reason: DeadReason) -> DeliveryRow:
    """Decide that there are no more requests; what was delivered has no dead letter."""
    ended = replace(row, lease=None, next_at=None, not_before=None, hastened=False)
    return ended if row.delivered else replace(ended, reason=reason, decided_at=row.read_at)


def discarded(row: DeliveryRow) -> DeliveryRow:
    """Close a dead letter without telling the platform."""
    return replace(row, state=DeliveryState.DISCARDED, settled_at=row.read_at)


def called_off(row: DeliveryRow) -> DeliveryRow:
    """Make no more requests and no dead letter; what was not delivered is discarded."""
    ended = replace(row, lease=None, next_at=None, not_before=None, hastened=False)
    return ended if row.delivered else discarded(ended)


def replayed(row: DeliveryRow, slot_at: int, job: str) -> DeliveryRow:
    """Start a fresh schedule at the given slot, which nothing makes earlier."""
    again = replace(
        row,
        step=0,
        replays=_one_more(row.replays),
        next_at=slot_at,
        not_before=slot_at,
        hastened=False,
        born_at=slot_at,
        job=job,
        interruptions=0,
    )
    if row.delivered:
        return again
    return replace(
        again, state=DeliveryState.PENDING, reason=None, decided_at=None, settled_at=None
    )


def taken_over(row: DeliveryRow, slot_at: int, job: str) -> DeliveryRow:
    """Replay a row that another replay has released and holds; a Retry-After is kept."""
    return replayed(replace(row, lease=None), max(slot_at, row.not_before or 0), job)


def returned(row: DeliveryRow, reason: str | None, heir: str | None) -> DeliveryRow:
    """Take a row from the job that replays it, and put it back where it was.

    Args:
        row: waits for a request.
        reason: of the dead letter that it was; None if it was none.
        heir: another job that waits for it.
    """
    if heir is not None or (reason is None and not row.delivered):
        return replace(row, job=heir, lease=None)
    return doomed(replace(row, job=None), _known(reason))


def put_off(row: DeliveryRow) -> DeliveryRow:
    """Leave a row alone for a while that nobody can send: its event can't be opened."""
    later = row.read_at + PUT_OFF_MS
    return replace(row, lease=None, next_at=later, not_before=later, hastened=False)


def reslotted(row: DeliveryRow, slot_at: int) -> DeliveryRow:
    """Give another slot to a replayed row. One that was tried keeps its schedule and its age."""
    born_at = slot_at if row.next_at == row.born_at else row.born_at
    return replace(row, next_at=slot_at, not_before=slot_at, born_at=born_at)


def _known(reason: str | None) -> DeadReason:
    """A reason of a newer version is none that we could give again."""
    try:
        return DeadReason(reason or DeadReason.EXHAUSTED)
    except ValueError:
        return DeadReason.EXHAUSTED


def _one_more(count: int) -> int:
    """A row that somebody damaged must not end the statement in which others are written."""
    return min(count + 1, MOST)
