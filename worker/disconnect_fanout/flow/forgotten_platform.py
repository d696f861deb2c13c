"""What a worker has learnt about a platform ends with the platform."""

from collections.abc import Callable

from disconnect_fanout.flow.bulkheads import Bulkheads
from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.flow.recoveries import Recoveries


def forgetting(
    directory: Directory, bulkheads: Bulkheads, recoveries: Recoveries
) -> Callable[[str], None]:
    """Return what is told of each platform that changed.

    A breaker speaks of an endpoint and ends with it. How a platform recovers is known until it is
    gone: an operator who mends its URL wants what waits to be sent when it answers.
    """

    def forget(platform_id: str) -> None:
        bulkheads.forget(platform_id)
        if platform_id not in directory.platforms:
            recoveries.forget(platform_id)

    return forget
