"""A connect event: a platform connected a user's calendar, and its link begins."""

from dataclasses import dataclass
from datetime import datetime

from disconnect_fanout.domain.event import Provider, User

CONNECT_TYPE = "user.calendar.connected"


@dataclass(frozen=True, slots=True)
class ConnectEvent:
    """One connection, parsed. Instants are UTC, cut to whole seconds.

    Attributes:
        id: upstream's idempotency key, 1-128 printable characters without spaces.
        platform_id: whose connection it is; it need not be registered yet.
    """

    id: str
    timestamp: datetime
    user: User
    provider: Provider
    connected_at: datetime
    platform_id: str
