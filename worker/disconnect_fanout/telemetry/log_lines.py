"""All wording of the log: a stable key, then a sentence, then fields named as in the CLI's JSON.

One wide line for each attempt; no address, body, URL or secret.
"""

import time
from collections.abc import Callable
from typing import TypeAlias, assert_never

import structlog

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.outcome import Shortage
from disconnect_fanout.domain.platform import UNREGISTERED
from disconnect_fanout.flow.fact import (
    AttemptFinished,
    AttemptGivenBack,
    BreakerTurned,
    ClaimInterrupted,
    ConsumptionSilent,
    DeadLetterDecided,
    DeliveryDelivered,
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
    Delivered,
    RetryIn,
)
from disconnect_fanout.telemetry.verdict_words import shown_id, verdict_key, what_next

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
            case DeliveryDelivered():
                pass  # the line of its attempt says so
            case DeadLetterDecided():
                self._dead(fact)
            case BreakerTurned():
                self._breaker(fact)
            case ClaimInterrupted(delivery_id=name, platform_id=platform):
                words = "lease expired: its worker ended; claimed again"
                self._log.warning(
                    "delivery.reclaimed", message=words, delivery_id=name, platform_id=platform
                )
            case DependencyChanged():
                self._dependency(fact)
            case ConsumptionSilent():
                self._silence(fact)
            case EventsHeld(problem=None):
                self._log.info("consumption.resumed", message="events are taken again")
            case EventsHeld(problem=problem):
                words = "events are held: the database takes none"
                self._log.error("consumption.held", message=words, detail=problem)
            case _:
                self._upkeep(fact)

    def _upkeep(self, fact: _Upkeep) -> None:
        """Phrase what concerns no single event."""
        match fact:
            case DutyResumed(duty=duty):
                self._log.info("duty.resumed", message="goes on after the outage", duty=duty)
            case DutyFailed(duty=duty, detail=detail):
                words = "put off until the outage is over"
                self._log.warning("duty.delayed", message=words, duty=duty, detail=detail)
            case DutyCrashed():
                self._crashed(fact)
            case PeriodicJobDone(job=job, rows=rows):
                words = f"{job}: {rows} rows done"
                self._log.info("periodic_job.done", message=words, job=job, rows=rows)
            case OutcomeUnrecorded():
                self._unrecorded(fact)
            case RowSetAside(row=row):
                words = f"a row of {row.table.value} was set aside: it can't be read"
                table, name = row.table.value, shown_id(row.id)
                self._log.error(
                    "row.set_aside", message=words, table=table, row=name, detail=row.what
                )
            case TopologyRestored(what=what):
                words = (
                    "was gone at the broker, and was put back; "
                    "what was published meanwhile did not come"
                )
                self._log.error("topology.restored", message=words, what=what)
            case _:
                assert_never(fact)

    def _attempt(self, fact: AttemptFinished) -> None:
        write = self._log.info if isinstance(fact.verdict, Delivered) else self._log.warning
        write(
            "attempt.finished",
            message=what_next(fact.verdict, delivered=fact.delivered),
            delivery_id=fact.delivery_id,
            event_id=shown_id(fact.event_id),
            platform_id=fact.platform_id,
            attempt=fact.attempt,
            result=fact.result.value,
            status=fact.status,
            duration_ms=round(fact.duration_s * 1000, 1),
            verdict=verdict_key(fact.verdict),
            wait_s=round(fact.verdict.wait_s, 1) if isinstance(fact.verdict, RetryIn) else None,
            replay=fact.replay,
            detail=fact.detail,
        )

    def _dead(self, fact: DeadLetterDecided) -> None:
        unknown = fact.reason is DeadReason.UNKNOWN_PLATFORM
        self._log.warning(
            "delivery.dead",
            message="dead letter: no more requests until it is replayed",
            delivery_id=fact.delivery_id,
            platform_id=UNREGISTERED if unknown else fact.platform_id,
            reason=fact.reason.value,
        )

    def _unrecorded(self, fact: OutcomeUnrecorded) -> None:
        self._log.error(
            "attempt.unrecorded",
            message="sent, but not recorded; it will be sent again",
            delivery_id=fact.delivery_id,
            attempt=fact.attempt,
            result=fact.result.value,
        )

    def _short(self, shortage: Shortage) -> None:
        """A hundred connections that are wanting are one line."""
        now = self._clock()
        if now - self._short_said.get(shortage, -_SHORTAGE_EVERY_S) >= _SHORTAGE_EVERY_S:
            self._short_said[shortage] = now
            words = f"{shortage.words}; what can't be done is tried again, and is no attempt"
            self._log.error("worker.short", message=words, shortage=shortage.value)

    def _event(self, fact: EventHandled) -> None:
        if fact.outcome is EventOutcome.REJECTED:
            self._log.warning(
                "event.rejected",
                message="kept in the rejected queue",
                event_id=shown_id(fact.event_id),
                reason=fact.reason,
                detail=fact.detail,
            )
            return
        self._log.info(
            "event.handled",
            message=fact.outcome.value.replace("_", " "),
            event_id=shown_id(fact.event_id),
            outcome=fact.outcome.value,
            recipients=fact.recipients,
            near_misses=fact.near_misses,
        )

    def _breaker(self, fact: BreakerTurned) -> None:
        if fact.opened:
            words = "the platform only holds our slots: it is left alone for a while"
            self._log.warning("breaker.opened", message=words, platform_id=fact.platform_id)
        else:
            words = "the platform answers again"
            self._log.info("breaker.closed", message=words, platform_id=fact.platform_id)

    def _dependency(self, fact: DependencyChanged) -> None:
        if fact.reachable:
            words = f"{fact.what} is back"
            self._log.info("dependency.back", message=words, dependency=fact.what)
        else:
            self._log.error(
                "dependency.lost",
                message=f"{fact.what} is unreachable; trying again",
                dependency=fact.what,
                detail=fact.detail,
            )

    def _crashed(self, fact: DutyCrashed) -> None:
        self._log.error(
            "duty.crashed",
            message="a duty failed; it is begun again",
            duty=fact.duty,
            wait_s=fact.again_in_s,
            failures_in_a_row=fact.in_a_row,
        )

    def _silence(self, fact: ConsumptionSilent) -> None:
        if fact.problem is None:
            self._log.info("consumption.resumed", message="events are taken again")
        elif fact.given_up:
            words = "no events are taken; giving up, start me again"
            self._log.error("consumption.given_up", message=words, detail=fact.problem)
        else:
            words = "no events are taken"
            self._log.error("consumption.silent", message=words, detail=fact.problem)
