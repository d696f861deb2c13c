"""An event that could not be processed, as the flow hands it on."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from disconnect_fanout.domain.rejection import Rejection, RejectReason

AT = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)
MALFORMED = Rejection(RejectReason.MALFORMED, "data.reason: is missing", "evt_1")


class Message:
    """An event from upstream, as the flow holds it."""

    arrived_at = 0.0

    def __init__(
        self,
        content: bytes,
        message_id: str | None = None,
        headers: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        self.body = content
        self.message_id = message_id
        self.content_type: str | None = "application/json"
        self.content_encoding: str | None = "gzip"
        self.kind: str | None = "amqp-1.0"
        self.headers = headers

    async def ack(self) -> None:
        """Nothing to ack."""
