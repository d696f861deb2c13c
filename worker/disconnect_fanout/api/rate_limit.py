"""So many requests a second for each key, and a burst; state of this process, in memory."""

import math
from collections.abc import Callable

from disconnect_fanout.policy.rate import next_token_at, spend, tokens

BURST_S = 2.0


class RateLimit:
    """Counts requests by key.

    Args:
        per_s: allowed for each key.
        clock: seconds, monotonic.
    """

    def __init__(self, per_s: float, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._clock = clock
        self._due: dict[str, float] = {}

    def wait_s(self, key_id: str) -> int:
        """Count a request; return 0 if it may go, else whole seconds until the next one may."""
        now, due = self._clock(), self._due.get(key_id, 0.0)
        if tokens(self._per_s, due, now, BURST_S) < 1:
            return max(math.ceil(next_token_at(self._per_s, due, BURST_S) - now), 1)
        self._due[key_id] = spend(self._per_s, due, now)
        return 0
