"""Why a platform is notified or not, by the very rule that plans."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.policy.plan import Bearing, Recipient, bearing, plan


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one platform stands to one event, by what is recorded now.

    Attributes:
        recipient: as it would be planned, None if it is not to be notified.
        link: the one that decides, None if there is none.
        bearing: of that link.
    """

    platform_id: str
    recipient: Recipient | None
    link: Link | None = None
    bearing: Bearing | None = None


def explain(
    event: DisconnectEvent,
    links: Iterable[Link],
    platforms: Mapping[str, Platform],
    grace: timedelta,
) -> tuple[Explanation, ...]:
    """Explain every platform: recipients, those the user is linked to, and all others.

    The arguments are those of ``plan``; the order is that of the platforms' ids.
    """
    candidates = tuple(links)
    recipients = {one.platform_id: one for one in plan(event, candidates, platforms, grace)}
    deciding: dict[str, tuple[Bearing, Link]] = {}
    for link in candidates:
        found = (bearing(link, event, grace), link)
        best = deciding.get(link.platform_id)
        if best is None or _weight(*found) > _weight(*best):
            deciding[link.platform_id] = found
    return tuple(
        _explanation(one, recipients.get(one), deciding.get(one))
        for one in sorted({*recipients, *deciding, *platforms})
    )


def _weight(stands: Bearing, link: Link) -> tuple[int, float]:
    """The link that makes a recipient decides; else the one that misses by least, the latest."""
    return list(Bearing).index(stands), link.linked_at.timestamp()


def _explanation(
    platform_id: str, recipient: Recipient | None, found: tuple[Bearing, Link] | None
) -> Explanation:
    if found is None:
        return Explanation(platform_id, recipient)
    return Explanation(platform_id, recipient, link=found[1], bearing=found[0])
