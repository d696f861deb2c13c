"""Near misses: who is not notified because the address is linked under another Google account.

Both Google ids are known and differ, so it is another account (CONTRACT section 4). It may also be
a mistake in somebody's data; so it is counted, and whoever looks into an event sees it.
"""

from collections.abc import Iterable
from datetime import timedelta

from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.policy.plan import Bearing, bearing


def near_misses(event: DisconnectEvent, links: Iterable[Link], grace: timedelta) -> tuple[str, ...]:
    """Return the ids of the platforms that would be notified but for a Google id, in order.

    The arguments are those of ``plan``. An event that names its recipients misses nobody, and a
    platform that is notified by another link is none.
    """
    if event.platform_ids is not None:
        return ()
    found = [(link.platform_id, bearing(link, event, grace)) for link in links]
    held = {platform for platform, stands in found if stands is Bearing.HELD}
    missed = {platform for platform, stands in found if stands is Bearing.ANOTHER_ACCOUNT}
    return tuple(sorted(missed - held))
