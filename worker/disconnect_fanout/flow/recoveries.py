"""Which platforms are coming back, by what they answer to this worker."""

from collections.abc import Callable, Collection

from disconnect_fanout.domain.outcome import Exchange
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.flow.bulkheads import Bulkheads
from disconnect_fanout.flow.directory import Changed
from disconnect_fanout.flow.due import Expedited
from disconnect_fanout.flow.wakeups import Wakeups
from disconnect_fanout.policy import recovery as recoveries
from disconnect_fanout.policy.classify import is_well
from disconnect_fanout.policy.recovery import Recovery, allowance


class Recoveries:
    """Keeps each platform's recovery. State of one worker, in memory.

    Args:
        clock: seconds, monotonic.
        wakeups: of the scheduler, which expedites what waits.
    """

    def __init__(self, clock: Callable[[], float], wakeups: Wakeups) -> None:
        self._clock = clock
        self._wakeups = wakeups
        self._known: dict[str, Recovery] = {}

    def heard(self, platform_id: str, exchange: Exchange) -> None:
        """Take note of what a platform answered, or did not."""
        well = is_well(exchange)
        if well is not None:
            turn = recoveries.succeeded if well else recoveries.failed
            self._become(platform_id, turn(self._of(platform_id), self._clock()))

    def invite(self, platform_id: str) -> None:
        """An operator says that the platform is back; one waiting row may find out."""
        self._become(platform_id, recoveries.invited(self._of(platform_id)))

    def forget(self, platform_id: str) -> None:
        """It is gone."""
        self._known.pop(platform_id, None)

    def ready(self) -> Collection[str]:
        """Return the platforms of which waiting rows may be hastened now."""
        return [one for one in self._known if self.allowance(one)]

    def allowance(self, platform_id: str) -> int:
        """Return how many."""
        return allowance(self._of(platform_id), self._clock())

    def expedited(self, platform_id: str, asked: int, done: Expedited) -> None:
        """Take note of what was found waiting."""
        now, before = self._clock(), self._of(platform_id)
        self._known[platform_id] = recoveries.expedited(
            before, now, asked, done.count, done.more_in_s
        )

    def _of(self, platform_id: str) -> Recovery:
        return self._known.get(platform_id, Recovery())

    def _become(self, platform_id: str, recovery: Recovery) -> None:
        self._known[platform_id] = recovery
        if self.allowance(platform_id):
            self._wakeups.wake()


def forgetting(bulkheads: Bulkheads, recoveries: Recoveries) -> Changed:
    """Return what hears of each platform that changed: what was learnt of it ends with it.

    A breaker speaks of an endpoint and ends with it. How a platform recovers is known until it is
    gone: an operator who mends its URL wants what waits to be sent when it answers.
    """

    def forget(platform_id: str, platform: Platform | None) -> None:
        bulkheads.forget(platform_id)
        if platform is None:
            recoveries.forget(platform_id)

    return forget
