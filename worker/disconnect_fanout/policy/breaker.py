"""A breaker: stops giving slots to a platform that only holds them.

Closed, it lets everything through and counts what held a slot for nothing. After five in a row it
opens for two seconds; then one probe may go. A probe that fails doubles the wait, up to thirty
seconds; any HTTP answer closes the breaker, whichever request brought it. Requests that were
already under way when it opened neither lengthen nor renew the wait.
"""

from dataclasses import dataclass, replace

FAILURES_TO_OPEN = 5
FIRST_COOLDOWN_S = 2.0
LONGEST_COOLDOWN_S = 30.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """One platform's breaker, as one worker sees it. Instants are seconds of a monotonic clock."""

    failures: int = 0
    cooldown_s: float = 0.0
    open_until: float | None = None
    probing: bool = False

    @property
    def closed(self) -> bool:
        """Everything may go."""
        return self.open_until is None


def probe_due(breaker: Breaker, now: float) -> bool:
    """Tell whether an open breaker may let its one probe go."""
    return breaker.open_until is not None and not breaker.probing and now >= breaker.open_until


def started(breaker: Breaker) -> Breaker:
    """Return the breaker after a request was let through."""
    return breaker if breaker.closed else replace(breaker, probing=True)


def answered(_breaker: Breaker) -> Breaker:
    """Return the breaker after any HTTP answer."""
    return Breaker()


def failed(breaker: Breaker, now: float, *, probe: bool) -> Breaker:
    """Return the breaker after a request that held its slot for nothing."""
    if breaker.closed:
        failures = breaker.failures + 1
        if failures < FAILURES_TO_OPEN:
            return replace(breaker, failures=failures)
        return Breaker(failures, FIRST_COOLDOWN_S, now + FIRST_COOLDOWN_S)
    if not probe:
        return breaker
    cooldown = min(breaker.cooldown_s * 2, LONGEST_COOLDOWN_S)
    return Breaker(breaker.failures, cooldown, now + cooldown)


def abandoned(breaker: Breaker, *, probe: bool) -> Breaker:
    """Return the breaker after a request that says nothing about its platform."""
    return replace(breaker, probing=False) if probe else breaker
