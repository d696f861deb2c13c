"""Slots: the instants at which the deliveries of a replay may go."""

from math import ceil

MOST_AT_ONCE = 500
_MOST_UNSENT = 2000


def slots(rate_per_s: float | None, last: int, now: int, horizon_ms: int) -> list[int]:
    """Return the next slots, milliseconds.

    Args:
        rate_per_s: None for all of them now.
        last: the slot given last, 0 before the first.
        now: by the database's clock.
        horizon_ms: no slot lies further ahead.
    """
    if rate_per_s is None:
        return [now] * MOST_AT_ONCE
    interval = 1000 / rate_per_s
    first = max(now, last + interval)
    room = int((now + horizon_ms - first) // interval) + 1
    return [round(first + nth * interval) for nth in range(min(room, MOST_AT_ONCE))]


def slots_after_pause(rate_per_s: float, last: int, count: int) -> list[int]:
    """Return slots for what was released before a pause and was not sent.

    Args:
        rate_per_s: the job's.
        last: now, or the slot given last since the pause has ended.
        count: how many.
    """
    interval = 1000 / rate_per_s
    return [round(last + nth * interval) for nth in range(1, count + 1)]


def most_unsent(rate_per_s: float | None, horizon_ms: int) -> int:
    """Return how many due deliveries of a job may wait for one platform before it gets no more."""
    if rate_per_s is None:
        return _MOST_UNSENT
    return min(max(ceil(rate_per_s * horizon_ms / 1000), 1), _MOST_UNSENT)
