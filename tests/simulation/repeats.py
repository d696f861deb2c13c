"""I3: which requests repeat what had been said already, and what excuses them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.simulation.requests import STALE, Request
from tests.simulation.slot import Slot

from disconnect_fanout.policy.decide import RetryIn, TryAgainNow

MARGIN_S = 13.0
"""Who is well for all but so long records in time: leases outlast the time-out by 15 s."""
LONGEST_LEASE_S = 18.0


@dataclass(frozen=True)
class Excuses:
    """What happened to whom."""

    slots: Sequence[Slot]
    database_crashes: Sequence[float]

    def excuse(self, first: Request, again: Request) -> bool:
        """Tell whether ``again`` may repeat ``first``.

        Its worker ended, was frozen past its lease or lost the database past it; or the database
        crashed and lost the lease.
        """
        start, end = min(first.at, again.at) - LONGEST_LEASE_S, again.at
        if any(start <= at <= end for at in self.database_crashes):
            return True
        if first.by == again.by:  # nobody claims what he holds, expired or not
            return False
        killed = self._slot(first.by).ends.get(first.by)
        if killed is not None and killed <= end:
            return True
        return any(self._absent(one.by, start, end) >= MARGIN_S for one in (first, again))

    def _absent(self, process: str, start: float, end: float) -> float:
        weather = self._slot(process).weather
        return weather.frozen.within(start, end) + weather.without_database.within(start, end)

    def _slot(self, process: str) -> Slot:
        return next(one for one in self.slots if process.startswith(f"{one.name}."))


def repeats(requests: Sequence[Request]) -> Iterator[tuple[Request, Request]]:
    """Yield what was said twice: pairs of requests of one delivery, in the order of arrival."""
    for first, again in pairwise(requests):
        if not _settled(first, again):
            yield first, again
    for index, again in enumerate(requests):
        for first in requests[:index]:
            if first.told and first.round == again.round:
                yield first, again


def _settled(first: Request, again: Request) -> bool:
    """Tell whether the first had been recorded, as one that asks for another or was replayed."""
    if first.by == again.by and first.exchange == STALE and again.number == first.number + 1:
        return True  # at once, on a fresh connection; both are recorded together
    if first.recorded_at is None or first.recorded_at > again.at:
        return False
    return again.round > first.round or isinstance(first.verdict, RetryIn | TryAgainNow)
