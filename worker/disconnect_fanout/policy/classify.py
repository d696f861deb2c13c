"""What an exchange means: the only place that reads a status or a transport failure."""

from datetime import datetime
from typing import assert_never

from disconnect_fanout.domain.outcome import (
    Accepted,
    Answer,
    Exchange,
    Failure,
    FailureKind,
    Forbidden,
    Gone,
    Outcome,
    Refused,
    Result,
    Unanswered,
)
from disconnect_fanout.policy.retry_after import retry_after_seconds

_GONE = 410
_ASKS_TO_WAIT = frozenset({429, 503})


def classify(exchange: Exchange, now: datetime) -> Outcome:
    """Return what the exchange means for the delivery (CONTRACT section 5)."""
    match exchange:
        case Answer(status=status) if 200 <= status < 300:  # noqa: PLR2004
            return Accepted()
        case Answer(status=status) if status == _GONE:
            return Gone()
        case Answer(status=status, retry_after=header):
            asked = retry_after_seconds(header, now) if status in _ASKS_TO_WAIT else 0.0
            return Refused(wait_s=asked)
        case Failure(kind=FailureKind.BLOCKED):
            return Forbidden()
        case Failure(kind=kind, reused=reused):
            return Unanswered(stale=reused and kind is FailureKind.DISCONNECTED)
        case _:
            assert_never(exchange)


def result_of(exchange: Exchange) -> Result:
    """Return the one word for this exchange in metrics and history."""
    match exchange:
        case Answer(status=status) if 200 <= status < 300:  # noqa: PLR2004
            return Result.DELIVERED
        case Answer(status=status):
            return Result.GONE if status == _GONE else Result.REFUSED
        case Failure(kind=kind):
            return Result(kind.value)
        case _:
            assert_never(exchange)


def held_a_slot(exchange: Exchange) -> bool:
    """Tell whether this is what the breaker counts: time-outs and failures to connect.

    Any HTTP answer, 500 included, shows that the platform does not hold our slots for nothing.
    """
    match exchange:
        case Failure(kind=FailureKind.TIMED_OUT | FailureKind.UNREACHABLE | FailureKind.TLS_FAILED):
            return True
        case _:
            return False


def is_well(exchange: Exchange) -> bool | None:
    """Tell by this exchange whether the platform is well; None if it says nothing about that."""
    match result_of(exchange):
        case Result.DELIVERED:
            return True
        case Result.GONE | Result.BLOCKED | Result.INTERRUPTED:
            return None
        case _:
            return False
