"""All wording of the log. One wide line for each attempt; no address, body, URL or secret."""

import time
from collections.abc import Callable
from typing import TypeAlias, assert_never

import structlog

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.identity import webhook_event_id
from disconnect_fanout.domain.outcome import Shortage
from disconnect_fanout.domain.platform import UNREGISTERED
from disconnect_fanout.flow.fact import (
    AttemptFinished,
    AttemptGivenBack,
    BreakerTurned,
    ClaimInterrupted,
    ConsumptionSilent,
    DeadLetterDecided,
    DependencyChanged,
    DutyCrashed,
    DutyFailed,
    DutyResumed,
    EventHandled,
    EventOutcome,
    EventsHeld,
    Fact,
    OutcomeUnrecorded,
    PeriodicJobDone,
    RanShort,
    RowSetAside,
    TopologyRestored,
)
from disconnect_fanout.policy.decide import (
    DeadLettered,
    Delivered,
    RetryIn,
    TryAgainNow,
    Verdict,
)

_Upkeep: TypeAlias = (
    DutyResumed
    | DutyFailed
    | DutyCrashed
    | PeriodicJobDone
    | OutcomeUnrecorded
    | RowSetAside
    | TopologyRestored
)

_SHORTAGE_EVERY_S = 10.0


class LogLines:
    """Writes a line for each fact; of what is wanting here, one now and then.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = structlog.get_logger()
        self._clock = clock
        self._short_said: dict[Shortage, float] = {}

    def observe(self, fact: Fact) -> None:  # noqa: C901 - one case for each fact, no nesting
        """Phrase a fact."""
        match fact:
            case AttemptFinished():
                self._attempt(fact)
            case AttemptGivenBack(shortage=shortage) | RanShort(shortage=shortage):
                self._short(shortage)
            case EventHandled():
                self._event(fact)
            case DeadLetterDecided(delivery_id=name, platform_id=platform, reason=reason):
                known = UNREGISTERED if reason is DeadReason.UNKNOWN_PLATFORM else platform
                self._log.warning("dead letter", delivery=name, platform=known, reason=reason.value)
            case BreakerTurned():
                self._breaker(fact)
            case ClaimInterrupted(delivery_id=name, platform_id=platform):
                self._log.warning(
                    "taken over from a worker that ended", delivery=name, platform=platform
                )
            case DependencyChanged(what=what, reachable=True):
                self._log.info(f"{what} is back")
            case DependencyChanged(what=what, detail=detail):
                self._log.error(f"{what} is unreachable; trying again", detail=detail)
            case ConsumptionSilent():
                self._silence(fact)
            case EventsHeld(problem=None):
                self._log.info("events are taken again")
            case EventsHeld(problem=problem):
                self._log.error("events are held: the database takes none", detail=problem)
            case _:
                self._upkeep(fact)

    def _upkeep(self, fact: _Upkeep) -> None:
        """What concerns no single event or delivery."""
        match fact:
            case DutyResumed(duty=duty):
                self._log.info("goes on after the outage", duty=duty)
            case DutyFailed(duty=duty, detail=detail):
                self._log.warning("put off until the outage is over", duty=duty, detail=detail)
            case DutyCrashed(duty=duty, in_a_row=count, again_in_s=rest):
                self._log.error(
                    "a duty failed; it is begun again",
                    duty=duty,
                    again_in_s=rest,
                    failures_in_a_row=count,
                )
            case PeriodicJobDone(job=job, rows=rows):
                self._log.info("housekeeping", job=job, rows=rows)
            case OutcomeUnrecorded(delivery_id=name, attempt=number, result=result):
                self._log.error(
                    "sent, but not recorded", delivery=name, attempt=number, result=result.value
                )
            case RowSetAside(row=row):
                self._log.error(
                    "a row was set aside", table=row.table.value, row=_name(row.id), why=row.what
                )
            case TopologyRestored(what=what):
                self._log.error(
                    "was gone at the broker, and was put back; "
                    "what was published meanwhile did not come",
                    what=what,
                )
            case _:
                assert_never(fact)

    def _attempt(self, fact: AttemptFinished) -> None:
        write = self._log.info if isinstance(fact.verdict, Delivered) else self._log.warning
        write(
            "attempt",
            delivery=fact.delivery_id,
            event_id=_name(fact.event_id),
            platform=fact.platform_id,
            attempt=fact.attempt,
            result=fact.result.value,
            status=fact.status,
            ms=round(fact.duration_s * 1000, 1),
            next=_next(fact.verdict, delivered=fact.delivered),
            replay=fact.replay,
            detail=fact.detail,
        )

    def _short(self, shortage: Shortage) -> None:
        """A hundred connections that are wanting are one line."""
        now = self._clock()
        if now - self._short_said.get(shortage, -_SHORTAGE_EVERY_S) >= _SHORTAGE_EVERY_S:
            self._short_said[shortage] = now
            words = f"{shortage.words}; what can't be done is tried again, and is no attempt"
            self._log.error(words, shortage=shortage.value)

    def _event(self, fact: EventHandled) -> None:
        if fact.outcome is EventOutcome.REJECTED:
            self._log.warning(
                "event rejected",
                event_id=_name(fact.event_id),
                reason=fact.reason,
                detail=fact.detail,
            )
            return
        self._log.info(
            "event",
            event_id=_name(fact.event_id),
            outcome=fact.outcome.value,
            recipients=fact.recipients,
            near_misses=fact.near_misses,
        )

    def _breaker(self, fact: BreakerTurned) -> None:
        if fact.opened:
            self._log.warning("breaker opened: it only holds our slots", platform=fact.platform_id)
        else:
            self._log.info("breaker closed: it answers again", platform=fact.platform_id)

    def _silence(self, fact: ConsumptionSilent) -> None:
        if fact.problem is None:
            self._log.info("events are taken again")
        elif fact.given_up:
            self._log.error("no events are taken; giving up, start me again", why=fact.problem)
        else:
            self._log.error("no events are taken", why=fact.problem)


def _name(event_id: str | None) -> str | None:
    """An id that holds an @ may be somebody's address; its digest names the event as well."""
    return webhook_event_id(event_id) if event_id and "@" in event_id else event_id


def _next(verdict: Verdict, *, delivered: bool) -> str:
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
