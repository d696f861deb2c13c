"""What a request came to: the attempt that is kept of it, and what becomes of its delivery."""

from dataclasses import dataclass
from datetime import datetime

from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.delivery import Progress
from disconnect_fanout.domain.outcome import Answer, Exchange
from disconnect_fanout.policy.classify import classify, result_of
from disconnect_fanout.policy.decide import RetryPolicy, Verdict, decide


@dataclass(frozen=True, slots=True)
class Made:
    """A request that was made.

    Attributes:
        number: of the attempt, from 1.
        at: when it was signed.
        took_s: from then to the end of the exchange.
        second: it was the second try, on a fresh connection.
    """

    number: int
    at: datetime
    took_s: float
    exchange: Exchange
    second: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is kept of the request, and what follows."""

    attempt: Attempt
    verdict: Verdict


def judge(
    made: Made, progress: Progress, policy: RetryPolicy, now: datetime, chance: float
) -> Judgement:
    """Return what the request means for the delivery.

    Args:
        made: the request.
        progress: of the delivery, before this attempt.
        policy: schedule and limits.
        now: when the exchange had ended; a ``Retry-After`` may be a date.
        chance: uniform in [0, 1), spreads the retries.
    """
    outcome = classify(made.exchange, now)
    verdict = decide(outcome, progress, policy, chance, fresh=made.second)
    return Judgement(_attempt(made, replay=progress.replays > 0), verdict)


def _attempt(made: Made, *, replay: bool) -> Attempt:
    exchange = made.exchange
    status, words = (
        (exchange.status, exchange.words)
        if isinstance(exchange, Answer)
        else (None, exchange.detail)
    )
    return Attempt(
        number=made.number,
        at=made.at,
        result=result_of(exchange),
        status=status,
        duration_ms=round(made.took_s * 1000),
        answer=words,
        replay=replay,
    )
