"""Which events tell of links that have just ended: all of their platforms, and nobody else."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from disconnect_fanout.domain.event import DisconnectEvent, Provider, Reason, User
from disconnect_fanout.domain.google_id import account, is_google_id
from disconnect_fanout.domain.link import Link


@dataclass(frozen=True, slots=True)
class Disconnection:
    """What ended, at whose request.

    Attributes:
        email: as platforms shall be notified.
        google_id: of the account by which links were found beside the address, or None.
        links: those that ended.
        provider: whose calendar was disconnected.
        initiated_by: the platform that asked, or None.
    """

    email: str = field(repr=False)
    google_id: str | None = field(repr=False)
    links: Sequence[Link]
    provider: Provider
    at: datetime
    initiated_by: str | None


def agreed_account(google_ids: Iterable[str | None]) -> str | None:
    """Return the Google id that all agree on. With two, only the address can find all links.

    Args:
        google_ids: what links and credentials under one address say; None if they say nothing.
    """
    known = {one for one in google_ids if is_google_id(one)}
    return known.pop() if len(known) == 1 else None


def events_of(ended: Disconnection, new_id: Callable[[], str]) -> list[DisconnectEvent]:
    """Return one event for the provider, found by the directory, and one for each other that ended.

    A link of another provider is not matched by the first event; its own one names its platforms.
    """
    others = sorted({link.provider for link in ended.links if link.provider} - {ended.provider})
    events = [_event(ended, ended.provider, new_id(), None)]
    for provider in others:
        named = tuple(sorted({one.platform_id for one in ended.links if one.provider == provider}))
        events.append(_event(ended, provider, new_id(), named))
    return events


def _event(
    ended: Disconnection, provider: Provider, name: str, platform_ids: tuple[str, ...] | None
) -> DisconnectEvent:
    google = provider is Provider.GOOGLE
    return DisconnectEvent(
        id=name,
        timestamp=ended.at,
        user=User(ended.email, account(ended.google_id) if google else None),
        provider=provider,
        disconnected_at=ended.at,
        reason=Reason.USER_REQUESTED,
        initiated_by=ended.initiated_by,
        platform_ids=platform_ids,
    )
