"""Who is notified of an event, by the platforms as this worker knows them."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.policy.near_miss import near_misses
from disconnect_fanout.policy.plan import Recipient, plan


class Planner:
    """Plans events in batches.

    Args:
        grace: a link that ended up to this long before the disconnect still counts.
    """

    def __init__(self, directory: Directory, grace: timedelta) -> None:
        self._directory = directory
        self.grace = grace

    async def recipients(
        self, events: Sequence[DisconnectEvent], links: Sequence[Iterable[Link]]
    ) -> Sequence[tuple[Recipient, ...]]:
        """Return the recipients of each event, given the links that may count for it."""
        plans = self._plans(events, links)
        if any(one.dead for recipients in plans for one in recipients):
            # A platform may have been registered or enabled this very second.
            await self._directory.refresh()
            plans = self._plans(events, links)
        return plans

    def near_misses(
        self, events: Sequence[DisconnectEvent], links: Sequence[Iterable[Link]]
    ) -> Sequence[int]:
        """Return how many platforms each event misses because of a Google id alone."""
        return [
            len(near_misses(event, found, self.grace))
            for event, found in zip(events, links, strict=True)
        ]

    def _plans(
        self, events: Sequence[DisconnectEvent], links: Sequence[Iterable[Link]]
    ) -> Sequence[tuple[Recipient, ...]]:
        platforms = self._directory.platforms
        return [
            plan(event, found, platforms, self.grace)
            for event, found in zip(events, links, strict=True)
        ]
