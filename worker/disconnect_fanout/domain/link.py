"""A link: this platform had this user's calendar connected, from then until then."""

from dataclasses import dataclass, field
from datetime import datetime

from disconnect_fanout.domain.event import Provider


@dataclass(frozen=True, slots=True)
class Link:
    """One interval of one user's connection to one platform.

    Attributes:
        email: its mailbox.
        provider: None matches events of every provider.
        unlinked_at: None while the link holds.
        latest_start: the latest start that was said of it, None if none was later than
            ``linked_at``; so that who says it again is recognised after the link has ended.
    """

    email: str = field(repr=False)
    platform_id: str
    linked_at: datetime
    unlinked_at: datetime | None = None
    google_id: str | None = field(default=None, repr=False)
    provider: Provider | None = None
    latest_start: datetime | None = field(default=None, compare=False, repr=False)
