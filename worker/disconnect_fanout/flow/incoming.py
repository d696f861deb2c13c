"""A message as the flow sees it. The ack travels with it and is always the last line."""

from collections.abc import Mapping
from typing import Protocol

from disconnect_fanout.domain.rejection import Rejection

DELIVERY_LIMIT = 20
"""Returns after which an event goes to the rejected ones: a crash counts for all that were held."""


class Incoming(Protocol):
    """One message from ``fanout.events``."""

    @property
    def body(self) -> bytes:
        """As published."""
        ...

    @property
    def content_type(self) -> str | None:
        """The message's property."""
        ...

    @property
    def content_encoding(self) -> str | None:
        """The message's property."""
        ...

    @property
    def kind(self) -> str | None:
        """The message's property ``type``."""
        ...

    @property
    def message_id(self) -> str | None:
        """The message's property."""
        ...

    @property
    def headers(self) -> Mapping[str, object]:
        """As published, and what the broker added."""
        ...

    @property
    def arrived_at(self) -> float:
        """The instant of arrival, seconds of the monotonic clock."""
        ...

    async def ack(self) -> None:
        """Let the broker forget it. If the channel is gone, the redelivery will be recognised."""
        ...


class RejectBox(Protocol):
    """Where events go that can't be processed."""

    async def put(self, message: Incoming, rejection: Rejection) -> None:
        """Publish the message with its reason, confirmed.

        Raises:
            BrokerUnreachable: not confirmed; the message must not be acked.
        """
        ...
