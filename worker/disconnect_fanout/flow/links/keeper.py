"""Who keeps the links: the owner of the directory, or the events themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.rejection import Rejection, RejectReason
from disconnect_fanout.flow.intent import Intent, Registration


@dataclass(frozen=True, slots=True)
class Linked:
    """A connect was learnt.

    Attributes:
        recipients: disconnects that came before it, of which its platform is notified now.
    """

    recipients: int


Learnt: TypeAlias = Linked | Registration | Rejection


class LinkKeeper(Protocol):
    """Learns of connects, and ends what disconnects end. Doing it again changes nothing.

    Raises:
        StoreUnreachable: from any of its methods; a redelivery does what is left.
    """

    async def learn(self, event: ConnectEvent) -> Learnt:
        """Open a link; if its disconnect came first, close it and have its platform notified."""
        ...

    async def end(self, intents: Sequence[Intent], answers: Sequence[Registration]) -> None:
        """End the links of these disconnects, once these are written down.

        Args:
            intents: what was to be written.
            answers: what the store said to each.
        """
        ...


class ExternalLinks:
    """The default: commands, the API or the owner's SQL keep the links."""

    async def learn(self, event: ConnectEvent) -> Learnt:
        """Refuse: nobody would ever end this link."""
        return Rejection(
            RejectReason.MALFORMED,
            "event_type: a connect is taken only with FANOUT_DIRECTORY=managed",
            event.id,
        )

    async def end(self, intents: Sequence[Intent], answers: Sequence[Registration]) -> None:
        """Leave them to their owner."""
