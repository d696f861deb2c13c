"""A disconnect event: a user's calendar connection ended, and linked platforms must be notified."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from disconnect_fanout.domain.mailbox import mailbox

EVENT_TYPE = "user.calendar.disconnected"
API_VERSION = "v1"


class Reason(StrEnum):
    """Why the connection ended. Closed: anything else is rejected, never coerced."""

    USER_REQUESTED = "user_requested"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a reason, not a password
    REVOKED = "revoked"


class Provider(StrEnum):
    """Whose calendar it was."""

    GOOGLE = "google"
    OFFICE365 = "office365"
    APPLE = "apple"


@dataclass(frozen=True, slots=True)
class User:
    """Whose connection ended, as upstream named them.

    Attributes:
        email: as published; it is matched by its mailbox and sent verbatim.
        google_id: a string even when it looks like a number (real ones exceed 2^53); None for
            users of Apple and Office 365.
    """

    email: str
    google_id: str | None

    @property
    def mailbox(self) -> str:
        """The form in which addresses are compared (CONTRACT section 4)."""
        return mailbox(self.email)

    def __repr__(self) -> str:
        """Say nothing: a user in a traceback or a log line would be a leak."""
        return "User(…)"


@dataclass(frozen=True, slots=True)
class DisconnectEvent:
    """One disconnect, parsed. Instants are UTC, cut to whole seconds.

    Attributes:
        id: upstream's idempotency key, 1-128 printable characters without spaces.
        platform_ids: an explicit list of recipients that overrides the directory, or None.
    """

    id: str
    timestamp: datetime
    user: User
    provider: Provider
    disconnected_at: datetime
    reason: Reason
    initiated_by: str | None = None
    platform_ids: tuple[str, ...] | None = None


NOBODY = User("", None)
"""Who an event is about once its user was forgotten. No address and no google id matches it."""


def forgotten(event: DisconnectEvent) -> DisconnectEvent:
    """Return what may be kept of an event whose user must be forgotten."""
    return replace(event, user=NOBODY)
