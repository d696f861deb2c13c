"""Silence: when a worker that looks alive has stopped to consume, and when it gives itself up.

A rival's users lost a weekend to a worker that was connected, alive and deaf. So a worker watches
itself from outside its consumer, by another connection. What it can't see it does not judge: while
broker or database is away, trying again is all that a restart would do too.
"""

from dataclasses import dataclass

LONGEST_SILENCE_S = 120.0
"""A silence that lasts so long ends the worker, to be started again (CONTRACT: 120 s)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at how events are taken.

    Attributes:
        wanted: there is somebody to tell, and a database to write to.
        attached: the broker sends us messages.
        taken: messages that have come so far.
        ready: messages that wait at the broker; None if it does not answer.
    """

    wanted: bool
    attached: bool
    taken: int
    ready: int | None


@dataclass(frozen=True, slots=True)
class Silence:
    """What is known after some looks.

    Attributes:
        taken: at the last look; None before the first.
        since: when the present silence was first seen, in seconds of a monotonic clock, or None.
        problem: what is wrong, in plain words; None while all is well.
    """

    taken: int | None = None
    since: float | None = None
    problem: str | None = None


def looked(before: Silence, sight: Sample, now: float) -> Silence:
    """Return what is known after one look more."""
    problem = _problem(before, sight)
    if problem is None:
        return Silence(sight.taken)
    return Silence(sight.taken, now if before.since is None else before.since, problem)


def hopeless(silence: Silence, now: float, longest_s: float = LONGEST_SILENCE_S) -> bool:
    """Tell whether the silence has lasted for too long."""
    return silence.since is not None and now - silence.since >= longest_s


def _problem(before: Silence, sight: Sample) -> str | None:
    if not sight.wanted or sight.ready is None:
        return None
    if not sight.attached:
        return "the broker answers, but no consumer is attached"
    if sight.ready and sight.taken == before.taken:
        return "messages wait at the broker, and none comes"
    return None
