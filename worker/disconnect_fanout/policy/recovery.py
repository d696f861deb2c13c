"""Recovery: what waits for a platform that was down goes out when it is back, not at its next turn.

A success that follows nothing but failures says that the platform may be back. Then a few waiting
rows are hastened: one at first, and for each further success two. So when the platform fails again,
at most one attempt more was spent than deliveries were made, and the next recovery needs twice as
many successes in a row before it expedites anything. A failure or two among successes is no outage:
what failed then keeps its turn.

What a hastened row is spared and what it risks is decided in the store, where it is remembered:
one that was hastened in vain keeps its next turn in the schedule.
"""

from dataclasses import dataclass, replace

OUTAGE_FAILURES = 3
OUTAGE_S = 1.0
"""So many failures in a row, or failures alone for so long, are an outage."""

MOST_NEEDED = 64
LARGEST_CREDIT = 64


@dataclass(frozen=True, slots=True)
class Recovery:
    """One platform's health, as one worker sees it. Instants are seconds of a monotonic clock.

    Attributes:
        failures: in a row, up to now.
        failing_since: when the first of them came.
        down: it had an outage, and rows may still wait because of it.
        good: successes in a row since then.
        needed: so many of them before the first row is hastened.
        credit: rows that may be hastened.
        rests_until: the waiting rows may not be hastened before this instant.
    """

    failures: int = 0
    failing_since: float = 0.0
    down: bool = False
    good: int = 0
    needed: int = 1
    credit: int = 0
    rests_until: float = 0.0


def failed(recovery: Recovery, now: float) -> Recovery:
    """Return the recovery after an attempt that is to be tried again."""
    in_vain = recovery.down and recovery.good >= recovery.needed
    return Recovery(
        failures=recovery.failures + 1,
        failing_since=recovery.failing_since if recovery.failures else now,
        down=recovery.down,
        needed=min(2 * recovery.needed, MOST_NEEDED) if in_vain else recovery.needed,
    )


def succeeded(recovery: Recovery, now: float) -> Recovery:
    """Return the recovery after an attempt that notified the platform."""
    if not recovery.down and not _outage(recovery, now):
        return Recovery(needed=recovery.needed)
    good = recovery.good + 1
    return replace(recovery, failures=0, down=True, good=good, credit=_credit(recovery, good))


def invited(recovery: Recovery) -> Recovery:
    """Return the recovery after an operator said that the platform is back."""
    return replace(
        recovery,
        failures=0,
        down=True,
        good=max(recovery.good, recovery.needed),
        credit=max(recovery.credit, 1),
    )


def allowance(recovery: Recovery, now: float) -> int:
    """Return how many waiting rows may be hastened now."""
    return recovery.credit if now >= recovery.rests_until else 0


def expedited(
    recovery: Recovery, now: float, asked: int, found: int, more_in_s: float | None
) -> Recovery:
    """Return the recovery after rows were hastened.

    Args:
        recovery: as it is by now; the platform may have failed meanwhile.
        now: the same clock's.
        asked: how many were wanted.
        found: how many were waiting.
        more_in_s: until others may be hastened, None if there are none: the recovery is complete.
    """
    if recovery.failures:
        return recovery
    if found < asked and more_in_s is None:
        return Recovery()
    rests_until = recovery.rests_until if found == asked else now + (more_in_s or 0.0)
    return replace(recovery, credit=max(recovery.credit - found, 0), rests_until=rests_until)


def _outage(recovery: Recovery, now: float) -> bool:
    return recovery.failures >= OUTAGE_FAILURES or (
        recovery.failures > 0 and now - recovery.failing_since >= OUTAGE_S
    )


def _credit(recovery: Recovery, good: int) -> int:
    if good < recovery.needed:
        return 0
    return 1 if good == recovery.needed else min(recovery.credit + 2, LARGEST_CREDIT)
