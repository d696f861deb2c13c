"""What a worker has to record: the closed set of changes that share a group commit."""

from dataclasses import dataclass
from typing import TypeAlias

from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.policy.decide import Verdict


@dataclass(frozen=True, slots=True)
class Attempted:
    """A request was made. Fenced by the lease, except *delivered*, which always wins.

    Attributes:
        platform_revision: of the endpoint that was asked; a 410 disables only that one.
    """

    delivery_id: str
    platform_id: str
    lease: str
    attempt: Attempt
    verdict: Verdict
    platform_revision: int


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A claimed delivery is dead without another request."""

    delivery_id: str
    lease: str
    reason: DeadReason


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A claimed delivery was not sent; it is due again and no attempt is burned.

    Attributes:
        wait_s: seconds until then, from the moment in which this is recorded.
    """

    delivery_id: str
    lease: str
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LetterConfirmed:
    """The broker holds the dead letter; the decided row turns dead."""

    delivery_id: str
    replays: int


@dataclass(frozen=True, slots=True)
class CopySeen:
    """An event arrived again; what is recorded is not sent again."""

    event_id: str


@dataclass(frozen=True, slots=True)
class Barrier:
    """Nothing but the wish that all earlier commits reach the disk."""


Change: TypeAlias = Attempted | GivenUp | GivenBack | LetterConfirmed | CopySeen | Barrier
