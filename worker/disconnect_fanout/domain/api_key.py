"""Who may ask for a disconnect over HTTP."""

from dataclasses import dataclass
from enum import StrEnum


class KeyKind(StrEnum):
    """What a key is. A closed set."""

    PLATFORM = "platform"
    CAL_API_KEY = "cal_api_key"
    MANAGED_USER = "managed_user"
    OAUTH = "oauth"


APPS_WRITE = "APPS_WRITE"
"""The scope that an OAuth token needs to disconnect a calendar."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that was found to be genuine and not revoked.

    Attributes:
        platform_id: of a platform's key, else None.
        user_id: of a user's key or token, else None.
        scopes: of an OAuth token.
    """

    id: str
    kind: KeyKind
    platform_id: str | None = None
    user_id: int | None = None
    scopes: frozenset[str] = frozenset()
