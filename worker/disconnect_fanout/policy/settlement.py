"""What a recorded change makes of a delivery's row. Fenced by the lease, except *delivered*."""

from dataclasses import replace
from typing import TypeAlias, assert_never

from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.instant import span_ms, to_ms
from disconnect_fanout.policy.change import Attempted, GivenBack, GivenUp, LetterConfirmed
from disconnect_fanout.policy.decide import DeadLettered, Delivered, RetryIn, TryAgainNow
from disconnect_fanout.policy.delivery_row import (
    DeliveryRow,
    doomed,
    given_back,
    retried,
)
from disconnect_fanout.policy.wording.normalised_error import normalised_error

RowChange: TypeAlias = Attempted | GivenUp | GivenBack | LetterConfirmed


def concerns(change: RowChange, row: DeliveryRow) -> bool:
    """Tell whether the change says what becomes of the row; else somebody else's word stands."""
    match change:
        case Attempted(lease=lease, verdict=Delivered()):
            # A late report of the first telling does not end the second one.
            return row.lease == lease or not row.delivered
        case Attempted(lease=lease) | GivenUp(lease=lease) | GivenBack(lease=lease):
            return row.lease == lease
        case LetterConfirmed(replays=replays):
            return row.decided and row.replays == replays
        case _:
            assert_never(change)


def settle(row: DeliveryRow, change: RowChange) -> DeliveryRow:
    """Return the row after the change; that an attempt was made is known in any case."""
    if isinstance(change, Attempted):
        # The number never falls, whoever reports it: it is part of what receivers see.
        row = replace(row, attempts=max(row.attempts, change.attempt.number))
    if not concerns(change, row):
        return row
    match change:
        case Attempted(verdict=Delivered()):
            return _delivered(row, change)
        case Attempted():
            return _failed(row, change)
        case GivenUp(reason=reason):
            return doomed(row, reason)
        case GivenBack(wait_s=wait):
            return given_back(row, span_ms(wait))
        case LetterConfirmed():
            return replace(row, state=DeliveryState.DEAD, settled_at=row.read_at)
        case _:
            assert_never(change)


def as_settled_before(row: DeliveryRow, settled: DeliveryRow | None) -> bool:
    """Tell whether the row is what an earlier try of ours made of it, whose answer was lost."""
    return settled is not None and replace(row, read_at=settled.read_at) == settled


def disabled_platform(before: DeliveryRow, change: RowChange) -> bool:
    """Tell whether this change was a 410 that speaks for the whole endpoint."""
    return (
        isinstance(change, Attempted)
        and isinstance(change.verdict, DeadLettered)
        and change.verdict.disables_platform
        and before.lease == change.lease
    )


def _delivered(row: DeliveryRow, change: Attempted) -> DeliveryRow:
    """Whatever was decided meanwhile: the platform knows, since the first time it was notified."""
    return replace(
        row,
        state=DeliveryState.DELIVERED,
        lease=None,
        next_at=None,
        not_before=None,
        hastened=False,
        reason=None,
        decided_at=None,
        last_result=change.attempt.result,
        last_status=change.attempt.status,
        last_error=None,
        settled_at=row.settled_at if row.delivered else row.read_at,
    )


def _failed(row: DeliveryRow, change: Attempted) -> DeliveryRow:
    attempt = change.attempt
    row = replace(
        row,
        last_result=attempt.result,
        last_status=attempt.status,
        last_error=normalised_error(attempt.status, attempt.answer),
        first_failed_at=row.first_failed_at or to_ms(attempt.at),
    )
    match change.verdict:
        case RetryIn(wait_s=wait, at_least_s=asked, step=step):
            return retried(row, span_ms(wait), span_ms(asked), step)
        case DeadLettered(reason=reason):
            return doomed(row, reason)
        case TryAgainNow() | Delivered():
            return row
        case _:
            assert_never(change.verdict)
