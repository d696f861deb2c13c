"""A rate: so many requests a second, evenly, with a tenth of a second's worth in one burst.

The generic cell rate algorithm: one instant per platform says when the next request is due if all
before it had been spaced evenly. It answers at once and never waits, which admission needs.
"""

_BURST_S = 0.1
_ROUNDING = 1e-6
"""In tokens. A monotonic clock after weeks of uptime has that little left of its precision; without
it the instant that ``next_token_at`` names could find no token there."""


def tokens(per_s: float, due: float, now: float, burst_s: float = _BURST_S) -> int:
    """Return how many requests may go now.

    Args:
        per_s: the allowed rate.
        due: the instant returned by the last ``spend``, 0 before the first.
        now: seconds of the same monotonic clock.
        burst_s: as many as in this time may go at once.
    """
    interval = 1 / per_s
    ahead = now + max(burst_s, interval) - max(due, now)
    return max(int(ahead / interval + _ROUNDING), 0)


def spend(per_s: float, due: float, now: float) -> float:
    """Return the new due instant after one request."""
    return max(due, now) + 1 / per_s


def next_token_at(per_s: float, due: float, burst_s: float = _BURST_S) -> float:
    """Return the instant from which at least one request may go."""
    interval = 1 / per_s
    return due + interval - max(burst_s, interval)
