"""One request, as a receiving platform saw it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True, slots=True)
class Received:
    """One request.

    Attributes:
        number: 1 for the first request of this receiver.
        method: Such as ``POST``.
        path: Path and query.
        headers: Case-insensitive.
        body: The bytes as they came.
        peer_port: The client's port; the same for two requests over one connection.
        at: When its body was complete, on ``time.monotonic``'s clock, in seconds.
        wall: The same in seconds since the epoch.
    """

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    peer_port: int
    at: float
    wall: float

    @property
    def webhook_id(self) -> str:
        """What the receiver dedupes on."""
        return self.headers["webhook-id"]

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    def verify(self, secret: str) -> Any:
        """Verify the signature with the public library and return the payload.

        Args:
            secret: The platform's ``whsec_…``.

        Raises:
            standardwebhooks.WebhookVerificationError: It is not signed with this secret, or its
                timestamp is more than five minutes off.
        """
        return Webhook(secret).verify(self.body, {k.lower(): v for k, v in self.headers.items()})
