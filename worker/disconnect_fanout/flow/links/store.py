"""Where links are kept that events open and close."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import DisconnectEvent, User
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.intent import Registration
from disconnect_fanout.policy.plan import Recipient


@dataclass(frozen=True, slots=True)
class Opening:
    """A link as a connect event begins it."""

    event: ConnectEvent
    link: Link
    content_hash: str


@dataclass(frozen=True, slots=True)
class Owed:
    """A recipient that an event turned out to have after it was written down."""

    event_id: str
    recipient: Recipient


class LinkStore(Protocol):
    """Links, and the events that open and close them.

    Raises:
        StoreUnreachable: from any of its methods.
    """

    async def open(self, openings: Sequence[Opening]) -> Sequence[Registration]:
        """Insert those events that are new, each with its link unless that very link is there.

        It is on disk when this returns.
        """
        ...

    async def of_users(self, users: Sequence[User]) -> Sequence[Mapping[int, Link]]:
        """Return the links of each user's address or google id, by row."""
        ...

    async def disconnects(self, users: Sequence[User]) -> Sequence[Sequence[DisconnectEvent]]:
        """Return the recorded disconnects of each user's address or google id."""
        ...

    async def settle(self, ends: Mapping[int, datetime], owed: Collection[Owed]) -> Sequence[Owed]:
        """End links, by row, unless they end earlier; add deliveries that are not there yet.

        It is on disk when this returns.

        Returns:
            What was added; nothing is added to an event that is gone or whose user is.
        """
        ...
