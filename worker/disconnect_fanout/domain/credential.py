"""A calendar credential: what one user's connection to one calendar was made with."""

from dataclasses import dataclass, field
from enum import StrEnum

from disconnect_fanout.domain.event import Provider


class Calendar(StrEnum):
    """The calendars that can be disconnected by path."""

    APPLE = "apple"
    GOOGLE = "google"
    OFFICE365 = "office365"

    @property
    def credential_type(self) -> str:
        """What a credential for it is called."""
        return f"{self.value}_calendar"

    @property
    def app_id(self) -> str:
        """The app that such a credential belongs to."""
        return f"{self.value}-calendar"

    @property
    def provider(self) -> Provider:
        """Whose calendar it is."""
        return Provider(self.value)


CREDENTIAL_TYPES = {one.credential_type: one for one in Calendar}


@dataclass(frozen=True, slots=True)
class Credential:
    """One stored credential.

    Attributes:
        type: one of ``CREDENTIAL_TYPES``.
        email: the mailbox (CONTRACT section 4).
    """

    id: int
    type: str
    user_id: int
    email: str = field(repr=False)
    google_id: str | None = field(default=None, repr=False)
    team_id: int | None = None
    app_id: str | None = None
    invalid: bool = False
