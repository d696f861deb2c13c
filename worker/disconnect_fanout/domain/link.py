"""A link: this platform had this user's calendar connected, from then until then."""

from dataclasses import dataclass, field
from datetime import datetime

from disconnect_fanout.domain.event import Provider


@dataclass(frozen=True, slots=True)
class Link:
    """One interval of one user's connection to one platform.

    Attributes:
        email: case-folded.
        provider: None matches events of every provider.
        unlinked_at: None while the link holds.
    """

    email: str = field(repr=False)
    platform_id: str
    linked_at: datetime
    unlinked_at: datetime | None = None
    google_id: str | None = field(default=None, repr=False)
    provider: Provider | None = None
