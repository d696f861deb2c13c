"""What happened, as typed facts. The flow emits them; telemetry alone phrases and counts them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from disconnect_fanout.domain.bad_row import BadRow
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.outcome import Result, Shortage
from disconnect_fanout.policy.decide import Verdict


class EventOutcome(StrEnum):
    """What became of an event: the label of ``fanout_events_total``."""

    FANNED_OUT = "fanned_out"
    NO_RECIPIENTS = "no_recipients"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    LINKED = "linked"


@dataclass(frozen=True, slots=True)
class EventHandled:
    """An event was taken up.

    Attributes:
        event_id: None where none could be read.
        recipients: platforms to be notified.
        near_misses: platforms that are not notified because of another Google id alone.
        reason: the code of a rejection, else None.
        detail: why it was rejected, in words that name no user.
    """

    outcome: EventOutcome
    event_id: str | None
    recipients: int = 0
    reason: str | None = None
    detail: str | None = None
    near_misses: int = 0


@dataclass(frozen=True, slots=True)
class AttemptFinished:
    """One request ended: the one wide log line.

    Attributes:
        delivered: the platform had been notified before; whatever came of this, it counts once.
        latency_s: from the event's arrival at this worker, for a first attempt, else None.
        detail: why there was no answer, else None.
    """

    delivery_id: str
    event_id: str
    platform_id: str
    attempt: int
    result: Result
    status: int | None
    duration_s: float
    verdict: Verdict
    replay: bool
    delivered: bool = False
    latency_s: float | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptGivenBack:
    """No request could be made, for our own want; the delivery is due again soon."""

    delivery_id: str
    platform_id: str
    shortage: Shortage


@dataclass(frozen=True, slots=True)
class RanShort:
    """Our own want kept us from something else than a request, such as taking a connection."""

    shortage: Shortage


@dataclass(frozen=True, slots=True)
class DeliveryDelivered:
    """A platform knows now, which did not before; it is on disk."""

    delivery_id: str
    platform_id: str


@dataclass(frozen=True, slots=True)
class DeadLetterDecided:
    """A delivery ended undelivered; it is on disk."""

    delivery_id: str
    platform_id: str
    reason: DeadReason


@dataclass(frozen=True, slots=True)
class BreakerTurned:
    """A platform's breaker opened or closed in this worker."""

    platform_id: str
    opened: bool


@dataclass(frozen=True, slots=True)
class ClaimInterrupted:
    """An expired lease was found: its worker ended between sending and recording."""

    delivery_id: str
    platform_id: str


@dataclass(frozen=True, slots=True)
class DependencyChanged:
    """The broker or the database went away, or came back.

    Attributes:
        what: ``broker`` or ``database``.
        detail: the error's kind and words, without credentials.
    """

    what: str
    reachable: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ConsumptionSilent:
    """Events wait and are not taken, although nothing is down.

    Attributes:
        problem: in plain words; None when they are taken again.
        given_up: it has lasted so long that the worker ends itself.
    """

    problem: str | None
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class EventsHeld:
    """Events stay in the queue, because the database would not take them.

    Attributes:
        problem: in the database's words; None when they are taken again.
    """

    problem: str | None


@dataclass(frozen=True, slots=True)
class DutyFailed:
    """A background duty stumbled over an outage; it comes round again by itself."""

    duty: str
    detail: str


@dataclass(frozen=True, slots=True)
class DutyResumed:
    """A duty that had stumbled goes on."""

    duty: str


@dataclass(frozen=True, slots=True)
class DutyCrashed:
    """A duty met what it did not expect: a bug. It is begun again.

    Attributes:
        in_a_row: failures without a sound run between them.
        again_in_s: the rest until it is begun again.
    """

    duty: str
    in_a_row: int
    again_in_s: float


@dataclass(frozen=True, slots=True)
class PeriodicJobDone:
    """Housekeeping has touched so many rows."""

    job: str
    rows: int


@dataclass(frozen=True, slots=True)
class OutcomeUnrecorded:
    """What a drain could not commit: logged, so that the history can be mended by hand."""

    delivery_id: str
    attempt: int
    result: Result


@dataclass(frozen=True, slots=True)
class RowSetAside:
    """A row can't be read as what it should be; it is left alone, and its neighbours go on."""

    row: BadRow


@dataclass(frozen=True, slots=True)
class TopologyRestored:
    """Something of ours was gone at the broker, and was put back. Events were lost meanwhile.

    Attributes:
        what: exchange, queues and bindings, in plain words.
        bindings: how many of them are bindings.
    """

    what: tuple[str, ...]
    bindings: int


Fact: TypeAlias = (
    EventHandled
    | AttemptFinished
    | AttemptGivenBack
    | RanShort
    | DeliveryDelivered
    | DeadLetterDecided
    | BreakerTurned
    | ClaimInterrupted
    | DependencyChanged
    | ConsumptionSilent
    | EventsHeld
    | DutyFailed
    | DutyResumed
    | DutyCrashed
    | PeriodicJobDone
    | OutcomeUnrecorded
    | RowSetAside
    | TopologyRestored
)
Observe: TypeAlias = Callable[[Fact], None]
