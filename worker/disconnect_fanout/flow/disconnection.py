"""What a request over HTTP needs of the store: who asks, and the end of a connection."""

from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from disconnect_fanout.domain.api_key import ApiKey
from disconnect_fanout.domain.credential import Calendar, Credential


class ApiKeys(Protocol):
    """Where keys are known."""

    async def find(self, token: str) -> ApiKey | None:
        """Return the key, or None if there is no such one or it was revoked.

        Raises:
            StoreUnreachable: the database does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Memo:
    """What makes a request known when it comes again.

    Attributes:
        caller: the id of the key.
        token: the caller's ``Idempotency-Key``.
        request: a digest of what was asked.
    """

    caller: str
    token: str = field(repr=False)
    request: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Done, now or when it was asked before; its platforms are being notified."""


@dataclass(frozen=True, slots=True)
class NotConnected:
    """There is nothing to end; nothing was changed, and nobody is notified."""


@dataclass(frozen=True, slots=True)
class Reused:
    """The same ``Idempotency-Key`` came with another request before; nothing was changed."""


class Unpublishable(Exception):
    """What is noted of the user can't be put into a webhook; nothing was changed."""


class Connections(Protocol):
    """Ends connections: the change and its event are one transaction that reaches the disk."""

    async def end_user(
        self, email: str, platform_id: str, memo: Memo | None
    ) -> Ended | NotConnected | Reused:
        """End all links of a user, if the platform has one, and delete their Google credentials.

        Args:
            email: as the caller wrote it.
            platform_id: the caller.
            memo: the same request again is answered alike.

        Raises:
            Unpublishable: what is noted of the user can't be put into a webhook.
            StoreUnreachable: it is not known whether it was done.
        """
        ...

    async def end_credential(
        self, number: int, calendar: Calendar, user_id: int, memo: Memo | None
    ) -> Credential | NotConnected | Reused:
        """Delete a user's credential and end their links of that provider.

        Returns:
            The credential that there was.

        Raises:
            Unpublishable: its address is none, or something else of it can't be put into a webhook.
            StoreUnreachable: it is not known whether it was done.
        """
        ...


Outcome: TypeAlias = Ended | Credential | NotConnected | Reused
