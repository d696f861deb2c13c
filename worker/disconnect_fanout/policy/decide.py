"""What happens to a delivery after an attempt: the only place that decides a retry."""

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.delivery import Progress
from disconnect_fanout.domain.outcome import (
    Accepted,
    Forbidden,
    Gone,
    Outcome,
    Refused,
    Unanswered,
)
from disconnect_fanout.policy.backoff import DEFAULT_SCHEDULE, wait_seconds

_WEEK_S = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient we are.

    Attributes:
        schedule: waits in seconds; attempts = 1 + their number.
        max_age_s: after this long, counted from when the round began, a delivery expires.
        most_interruptions: attempts in one round that no worker lived to record. They do not use up
            the schedule, because they say nothing about the platform; but a delivery that takes its
            worker along each time must end too.
    """

    schedule: tuple[float, ...] = DEFAULT_SCHEDULE
    max_age_s: float = sum(DEFAULT_SCHEDULE) + _WEEK_S
    most_interruptions: int = 100


@dataclass(frozen=True, slots=True)
class Send:
    """A further attempt is made."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The platform knows. Final."""


@dataclass(frozen=True, slots=True)
class TryAgainNow:
    """A pooled connection was dead: once more on a fresh one; the schedule does not advance."""


@dataclass(frozen=True, slots=True)
class RetryIn:
    """Due again later.

    Attributes:
        wait_s: seconds from the moment in which this is recorded.
        at_least_s: the part of it that the platform asked for; nothing may shorten that.
        step: waits of the schedule used up by then.
    """

    wait_s: float
    at_least_s: float
    step: int


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """No more requests until an operator replays it.

    Attributes:
        disables_platform: a 410 speaks for the endpoint, not only for this delivery.
    """

    reason: DeadReason
    disables_platform: bool = False


Verdict: TypeAlias = Delivered | TryAgainNow | RetryIn | DeadLettered


def decide(
    outcome: Outcome, progress: Progress, policy: RetryPolicy, chance: float, *, fresh: bool = False
) -> Verdict:
    """Return what becomes of the delivery.

    Args:
        outcome: of the attempt that just ended.
        progress: before that attempt.
        policy: schedule and limits.
        chance: uniform in [0, 1), spreads the retries.
        fresh: the attempt was already the second try on a fresh connection.
    """
    match outcome:
        case Accepted():
            return Delivered()
        case Gone():
            return DeadLettered(DeadReason.GONE, disables_platform=True)
        case Forbidden():
            return DeadLettered(DeadReason.BLOCKED)
        case Unanswered(stale=True) if not fresh:
            return TryAgainNow()
        case Refused(wait_s=asked):
            return _retry(progress, policy, chance, asked)
        case Unanswered():
            return _retry(progress, policy, chance, 0.0)
        case _:
            assert_never(outcome)


def before_attempt(progress: Progress, policy: RetryPolicy) -> Send | DeadLettered:
    """Return whether a claimed delivery is sent, or ends without another request.

    Never before one attempt of its round; an interrupted one counts as one.
    """
    tried = progress.step or progress.interruptions or (progress.attempts and not progress.replays)
    if tried and progress.age_s > policy.max_age_s:
        return DeadLettered(DeadReason.EXPIRED)
    if progress.interruptions >= policy.most_interruptions:
        return DeadLettered(DeadReason.EXHAUSTED)
    return Send()


def _retry(
    progress: Progress, policy: RetryPolicy, chance: float, asked: float
) -> RetryIn | DeadLettered:
    wait = wait_seconds(policy.schedule, progress.step, chance)
    if wait is None:
        return DeadLettered(DeadReason.EXHAUSTED)
    if progress.age_s > policy.max_age_s:
        return DeadLettered(DeadReason.EXPIRED)
    return RetryIn(max(wait, asked), at_least_s=asked, step=progress.step + 1)
