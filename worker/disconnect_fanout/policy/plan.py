"""Who is notified: the platforms that had the user connected at the instant of the disconnect."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.google_id import account
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.policy.undeliverable import undeliverable


class Bearing(Enum):
    """What a link says about an event; the further down, the closer it comes to a recipient."""

    ANOTHER_USER = auto()
    ANOTHER_PROVIDER = auto()
    LINKED_AFTER = auto()
    ENDED_BEFORE = auto()
    ANOTHER_ACCOUNT = auto()  # it held, for the same address, under another Google id
    HELD = auto()


@dataclass(frozen=True, slots=True)
class Recipient:
    """One platform to tell.

    Attributes:
        dead: why it can't be notified now; it becomes a dead letter, never silence.
    """

    platform_id: str
    dead: DeadReason | None = None


def plan(
    event: DisconnectEvent,
    links: Iterable[Link],
    platforms: Mapping[str, Platform],
    grace: timedelta,
) -> tuple[Recipient, ...]:
    """Return the recipients, each platform once, in the order of their ids.

    Args:
        event: an explicit ``platform_ids`` overrides the links.
        links: candidates; those of other users, providers or times are left out here.
        platforms: the registered ones by id.
        grace: a link that ended up to this long before the disconnect still counts.
    """
    ids = event.platform_ids
    if ids is None:
        ids = tuple(link.platform_id for link in links if counts(link, event, grace))
    return tuple(Recipient(one, _dead(platforms.get(one))) for one in sorted(set(ids)))


def counts(link: Link, event: DisconnectEvent, grace: timedelta) -> bool:
    """Tell whether this link makes its platform a recipient (CONTRACT section 4)."""
    return bearing(link, event, grace) is Bearing.HELD


def bearing(link: Link, event: DisconnectEvent, grace: timedelta) -> Bearing:
    """Return what this link says about the event.

    Whole seconds are compared, both ends included: clocks of different machines never agree.
    """
    if not _same_user(link, event):
        return _of_another(link, event, grace)
    return _stands(link, event, grace)


def _of_another(link: Link, event: DisconnectEvent, grace: timedelta) -> Bearing:
    """Tell a stranger's link from one that misses by nothing but its Google id."""
    same_address = link.email == event.user.mailbox
    if same_address and _stands(link, event, grace) is Bearing.HELD:
        return Bearing.ANOTHER_ACCOUNT
    return Bearing.ANOTHER_USER


def _stands(link: Link, event: DisconnectEvent, grace: timedelta) -> Bearing:
    if not _same_provider(link, event):
        return Bearing.ANOTHER_PROVIDER
    at = _second(event.disconnected_at)
    if _second(link.linked_at) > at:
        return Bearing.LINKED_AFTER
    if link.unlinked_at is not None and at - _second(link.unlinked_at) > grace:
        return Bearing.ENDED_BEFORE
    return Bearing.HELD


def returned(link: Link, event: DisconnectEvent) -> bool:
    """Tell whether the user, and nobody else, linked this platform again after the disconnect."""
    later = bearing(link, event, timedelta(0)) is Bearing.LINKED_AFTER
    return later and link.is_of(event.user)


def said_again(link: Link, event: DisconnectEvent) -> bool:
    """Tell whether the user linked again, or a later start was said of a link that nobody ended.

    For what is sent again: whoever comes back to a link that is open still is noted as its latest
    start. Not for what was never sent: a link added today, with its true history imported since,
    must not keep the platform from being notified (decision 0033).
    """
    again = replace(link, linked_at=link.latest_start or link.linked_at)
    return returned(again, event)


def _same_user(link: Link, event: DisconnectEvent) -> bool:
    """Match on ``google_id`` where both sides have one, else on the address's mailbox.

    What can't be a Google id is none: a spreadsheet's number must not overrule the address.
    """
    theirs, ours = account(link.google_id), account(event.user.google_id)
    if theirs is not None and ours is not None:
        return theirs == ours
    return link.may_be_of(event.user)


def _same_provider(link: Link, event: DisconnectEvent) -> bool:
    return link.provider is None or link.provider is event.provider


def _second(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)


def _dead(platform: Platform | None) -> DeadReason | None:
    return undeliverable(None if platform is None else platform.enabled)
