"""The request that one attempt makes: the same body every time, a signature of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from disconnect_fanout.domain.delivery import LeasedDelivery
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.policy.signature import signature_headers

EncodeBody: TypeAlias = Callable[[DisconnectEvent, str], bytes]
"""Takes an event and the recipient's platform id, returns the exact bytes of the body."""


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """One POST.

    Attributes:
        timeout_s: for the whole exchange, the answer's body included.
        authority: PEM of the only certificate authority to trust, or None for this machine's.
        fresh: on a new connection, as every retry is: a kept one has just turned out dead, or leads
            to where the platform was before.
    """

    platform_id: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    timeout_s: float
    authority: str | None = field(default=None, repr=False)
    fresh: bool = False


def compose(
    delivery: LeasedDelivery, platform: Platform, number: int, now: datetime, encode: EncodeBody
) -> WebhookRequest:
    """Return the request of attempt ``number``, signed at ``now`` (CONTRACT section 5)."""
    body = encode(delivery.event, platform.id)
    headers = signature_headers(
        platform.scheme, platform.keys, delivery.id, int(now.timestamp()), body
    )
    headers["content-type"] = "application/json"
    headers["fanout-attempt"] = str(number)
    if delivery.progress.replays:
        headers["fanout-replay"] = "true"
    return WebhookRequest(
        platform.id,
        platform.url,
        headers,
        body,
        platform.timeout_s,
        platform.authority,
        fresh=number > 1,
    )
