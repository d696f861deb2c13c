"""Prometheus metrics. Labels are bounded: platforms that are registered, and closed sets."""

from collections.abc import Callable, Collection, Mapping
from typing import assert_never

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from disconnect_fanout.domain.bad_row import RowKind
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
    EventsHeld,
    Fact,
    OutcomeUnrecorded,
    PeriodicJobDone,
    RanShort,
    RowSetAside,
    TopologyRestored,
)

disable_created_metrics()  # type: ignore[no-untyped-call]

_LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counts facts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._declare_the_work()
        self._declare_what_is_rare()
        self._declare_gauges()

    def _declare_the_work(self) -> None:
        self._events = self._counter("fanout_events", "Events taken up.", "outcome")
        self._rejected = self._counter("fanout_events_rejected", "Events rejected.", "reason")
        self._near_misses = self._counter(
            "fanout_near_misses",
            "Platforms not notified: the address is linked to them under another Google id.",
        )
        self._deliveries = self._counter(
            "fanout_deliveries", "Deliveries that ended.", "platform", "outcome"
        )
        self._attempts = self._counter(
            "fanout_delivery_attempts", "Requests made.", "platform", "result"
        )
        self._given_back = self._counter(
            "fanout_attempts_given_back",
            "Requests that could not be made for our own want; due again, and no attempts.",
            "why",
        )
        for shortage in Shortage:
            self._given_back.labels(shortage.value)
        self._dead = self._counter(
            "fanout_dead_letters", "Deliveries that died.", "platform", "reason"
        )
        self._latency = Histogram(
            "fanout_delivery_latency_seconds",
            "From an event's arrival at the worker to the answer of the first attempt.",
            buckets=_LATENCY_BUCKETS,
            registry=self.registry,
        )

    def _declare_what_is_rare(self) -> None:
        self._outages = self._counter("fanout_outages", "Times a dependency was lost.", "what")
        self._crashes = self._counter(
            "fanout_tasks_crashed", "Tasks and duties that met a bug; sum over workers."
        )
        self._set_aside = self._counter(
            "fanout_rows_set_aside",
            "Rows of the database that can't be read, once for each process that met one.",
            "table",
        )
        for table in RowKind:
            self._set_aside.labels(table.value)
        self._restored = self._counter(
            "fanout_bindings_restored",
            "Bindings of the events queue that were gone and were put back; sum over workers.",
        )
        self._interrupted = self._counter(
            "fanout_claims_interrupted",
            "Deliveries claimed again after their worker ended in the middle; sum over workers.",
        )
        self._unrecorded = self._counter(
            "fanout_outcomes_unrecorded",
            "Requests whose outcome was not on disk when the worker left; sum over workers.",
        )

    def _declare_gauges(self) -> None:
        self._depth = self._gauge(
            "fanout_dead_letter_depth", "Open dead letters, from the database.", "platform"
        )
        self._waiting = self._gauge(
            "fanout_deliveries_waiting",
            "Deliveries that wait for their turn or their answer, from the database.",
            "platform",
        )
        self._breaker = self._gauge(
            "fanout_breaker_open", "1 while a platform's breaker is open here.", "platform"
        )
        self._balance = self._gauge(
            "fanout_balance_difference",
            "Recipients resolved, less the deliveries there are; 0, and 0 where another counts.",
        )
        self._ready = self._gauge("fanout_ready", "1 while the worker is ready.")

    def observe(self, fact: Fact) -> None:  # noqa: C901, PLR0912 - one case for each fact, no nesting
        """Count a fact."""
        match fact:
            case EventHandled(outcome=outcome, reason=reason):
                self._events.labels(outcome.value).inc()
                self._near_misses.inc(fact.near_misses)
                if reason is not None:
                    self._rejected.labels(reason).inc()
            case AttemptFinished():
                self._attempt(fact)
            case AttemptGivenBack(shortage=shortage):
                self._given_back.labels(shortage.value).inc()
            case DeliveryDelivered(platform_id=platform):
                self._deliveries.labels(platform, "delivered").inc()
            case DeadLetterDecided(platform_id=platform, reason=reason):
                known = UNREGISTERED if reason is DeadReason.UNKNOWN_PLATFORM else platform
                self._dead.labels(known, reason.value).inc()
                self._deliveries.labels(known, "dead").inc()
            case BreakerTurned(platform_id=platform, opened=opened):
                self._breaker.labels(platform).set(opened)
            case DependencyChanged(what=what, reachable=False):
                self._outages.labels(what).inc()
            case RowSetAside(row=row):
                self._set_aside.labels(row.table.value).inc()
            case TopologyRestored(bindings=bindings):
                self._restored.inc(bindings)
            case ClaimInterrupted():
                self._interrupted.inc()
            case OutcomeUnrecorded():
                self._unrecorded.inc()
            case DependencyChanged() | RanShort() | EventsHeld() | ConsumptionSilent():
                pass  # /readyz and its gauge say so for as long as it lasts
            case DutyResumed() | DutyFailed() | DutyCrashed() | PeriodicJobDone():
                pass  # likewise; a crash was counted with its error
            case _:
                assert_never(fact)

    def _attempt(self, fact: AttemptFinished) -> None:
        self._attempts.labels(fact.platform_id, fact.result.value).inc()
        if fact.latency_s is not None:
            self._latency.observe(fact.latency_s)

    def count_crash(self) -> None:
        """A task or a duty met a bug."""
        self._crashes.inc()

    def show_dead(self, counts: Mapping[str, int], registered: Callable[[str], bool]) -> None:
        """Set the number of open dead letters, by platform."""
        _show(self._depth, counts, registered)

    def show_waiting(self, counts: Mapping[str, int], registered: Callable[[str], bool]) -> None:
        """Set the number of waiting deliveries, by platform."""
        _show(self._waiting, counts, registered)

    def show_breakers(self, open_ones: Collection[str], registered: Collection[str]) -> None:
        """Say of each registered platform whether its breaker is open; of no other any more."""
        self._breaker.clear()
        for platform in registered:
            self._breaker.labels(platform).set(platform in open_ones)

    def show_balance(self, difference: int) -> None:
        """Set what is missing from the balance; anything but 0 is an alarm."""
        self._balance.set(difference)

    def show_ready(self, *, ready: bool) -> None:
        """Set whether the worker is ready."""
        self._ready.set(ready)

    def exposition(self) -> bytes:
        """Return the text that Prometheus scrapes."""
        return generate_latest(self.registry)

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(name, words, labels, registry=self.registry)

    def _gauge(self, name: str, words: str, *labels: str) -> Gauge:
        return Gauge(name, words, labels, registry=self.registry)


def _show(gauge: Gauge, counts: Mapping[str, int], registered: Callable[[str], bool]) -> None:
    gauge.clear()
    for platform, count in counts.items():
        gauge.labels(platform if registered(platform) else UNREGISTERED).inc(count)
