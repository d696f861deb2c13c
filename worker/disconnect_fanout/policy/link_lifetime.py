"""How long links last when events alone open and close them (FANOUT_DIRECTORY=managed).

No order is assumed: a connect may be learnt long after the disconnect that ended it. Whatever the
order, the same events leave the same links (decision 0013).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.policy.plan import counts


def opened(event: ConnectEvent) -> Link:
    """Return the link that a connect begins; nothing is known of its end."""
    return Link(
        email=event.user.mailbox,
        platform_id=event.platform_id,
        linked_at=event.connected_at,
        google_id=event.user.google_id,
        provider=event.provider,
    )


def ended(link: Link, disconnects: Iterable[DisconnectEvent], grace: timedelta) -> Link:
    """Return the link as these disconnects leave it: the earliest that names it is its end."""
    for event in disconnects:
        if _ends(link, event, grace):
            earlier = link.unlinked_at is None or event.disconnected_at < link.unlinked_at
            link = replace(link, unlinked_at=event.disconnected_at) if earlier else link
    return link


def _ends(link: Link, event: DisconnectEvent, grace: timedelta) -> bool:
    """A disconnect closes the links that it names; its own list may leave some out.

    A link that is only maybe this user's is counted and stays: ended, it would keep the telling
    from the one whose it may be (decision 0015).
    """
    named = event.platform_ids is None or link.platform_id in event.platform_ids
    return named and counts(link, event, grace) and link.is_of(event.user)


def same_start(one: Link, other: Link) -> bool:
    """Tell whether two links are one connection, whatever is known of its end."""
    return replace(one, unlinked_at=None) == replace(other, unlinked_at=None)
