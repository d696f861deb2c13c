"""A world before anything runs: who is there, what happens, and what goes wrong."""

from dataclasses import dataclass
from enum import StrEnum

from disconnect_fanout.policy.decide import RetryPolicy

ACTS_END_S = 14.0
"""Nothing is begun later; what lasts longer ends by itself, or is ended when the world heals."""


class Manner(StrEnum):
    """How a platform answers."""

    STEADY = "steady"
    SLOW = "slow"
    RECOVERS = "recovers"
    FLAKY = "flaky"
    HANGS = "hangs"
    HANGS_AT_FIRST = "hangs at first"
    REFUSES = "refuses"
    GONE = "gone"
    BUSY = "busy"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class PlatformPlan:
    """One platform; ``count`` is how many requests of each delivery meet with its manner."""

    id: str
    manner: Manner
    count: int
    timeout_s: float
    max_in_flight: int | None
    rate_per_s: float | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class EventPlan:
    """One published message.

    Attributes:
        at: seconds from the start.
        reason: the same id with another one is a conflict.
        platform_ids: explicit recipients.
        malformed: no event at all.
    """

    at: float
    id: str
    user: int
    reason: str = "user_requested"
    platform_ids: tuple[str, ...] = ()
    malformed: bool = False


class Trouble(StrEnum):
    """What goes wrong."""

    CRASH = "crash"
    FREEZE = "freeze"
    DATABASE_AWAY = "database away"
    DATABASE_CRASH = "database crash"
    DATABASE_CUT_OFF = "database cut off"  # from one worker
    DATABASE_FLAKY = "database flaky"
    BROKER_AWAY = "broker away"
    CONNECTION_LOST = "connection lost"
    BROKER_FLAKY = "broker flaky"
    OUT_OF_MEANS = "out of means"  # no descriptor for a request, memory to sign it with, …


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """One fault.

    Attributes:
        worker: whose.
        at: seconds from the start, unless one of the next two says when.
        step: of the worker's program, counted from its start.
        moment: the n-th time that it does something of this name to the world.
        lasts_s: how long.
        share: of calls that fail, where not all do.
    """

    trouble: Trouble
    worker: int
    at: float
    lasts_s: float
    step: int | None = None
    moment: tuple[str, int] | None = None
    share: float = 0.3


class Deed(StrEnum):
    """What an operator does."""

    REPLAY_DEAD = "replay dead"
    REPLAY_ALL = "replay all"
    PAUSE_JOBS = "pause jobs"
    RESUME_JOBS = "resume jobs"
    CANCEL_JOBS = "cancel jobs"
    PAUSE = "pause"
    RESUME = "resume"
    DISABLE = "disable"
    ENABLE = "enable"
    DISCARD = "discard"
    PURGE = "purge"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class DeedPlan:
    """One deed; which of the fields count depends on it."""

    at: float
    deed: Deed
    platform: int
    worker: int
    rate_per_s: float | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One world.

    Attributes:
        links: by user, indices of the platforms that they are linked to.
        second_act: what operators and fate do once all is at rest.
    """

    seed: int
    calm: bool
    workers: int
    platforms: tuple[PlatformPlan, ...]
    links: tuple[tuple[int, ...], ...]
    events: tuple[EventPlan, ...]
    faults: tuple[FaultPlan, ...]
    deeds: tuple[DeedPlan, ...]
    second_act: tuple[DeedPlan | FaultPlan, ...]
    policy: RetryPolicy
    slots: int
    cap: int
    prefetch: int
    window: int
