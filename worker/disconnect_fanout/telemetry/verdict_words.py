"""What is said of a delivery's verdict and of its event: a key for machines, words for people."""

from typing import assert_never

from disconnect_fanout.domain.identity import webhook_event_id
from disconnect_fanout.policy.decide import (
    DeadLettered,
    Delivered,
    RetryIn,
    TryAgainNow,
    Verdict,
)


def shown_id(event_id: str | None) -> str | None:
    """An id that holds an @ may be somebody's address; its digest names the event as well."""
    return webhook_event_id(event_id) if event_id and "@" in event_id else event_id


def verdict_key(verdict: Verdict) -> str:
    """The kind alone, for a machine."""
    match verdict:
        case Delivered():
            return "delivered"
        case TryAgainNow():
            return "try_again_now"
        case RetryIn():
            return "retry"
        case DeadLettered():
            return "dead_letter"
        case _:
            assert_never(verdict)


def what_next(verdict: Verdict, *, delivered: bool) -> str:
    """What becomes of the delivery; ``delivered``: it had been, before this attempt."""
    match verdict:
        case Delivered():
            return "done"
        case TryAgainNow():
            return "again now, on a fresh connection"
        case RetryIn(wait_s=wait):
            return f"again in {wait:.1f}s"
        case DeadLettered(reason=reason):
            return f"no more, it was delivered before: {reason}" if delivered else f"dead: {reason}"
        case _:
            assert_never(verdict)
