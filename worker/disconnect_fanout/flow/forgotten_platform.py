"""What a worker has learnt about a platform ends with the platform."""

from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.flow.bulkheads import Bulkheads
from disconnect_fanout.flow.directory import Changed
from disconnect_fanout.flow.recoveries import Recoveries


def forgetting(bulkheads: Bulkheads, recoveries: Recoveries) -> Changed:
    """Return what hears of each platform that changed.

    A breaker speaks of an endpoint and ends with it. How a platform recovers is known until it is
    gone: an operator who mends its URL wants what waits to be sent when it answers.
    """

    def forget(platform_id: str, platform: Platform | None) -> None:
        bulkheads.forget(platform_id)
        if platform is None:
            recoveries.forget(platform_id)

    return forget
