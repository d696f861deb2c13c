"""The wire contracts of disconnect-fanout, for publishers and receivers.

Needs nothing but pydantic, and nothing of the worker: upstream builds a ``DisconnectEventV1`` and
publishes it with a ``DisconnectPublisher``, whose client of the broker is imported when it is used.
The same contracts as JSON Schema are in ``jsonschema/``.
"""

from typing import TYPE_CHECKING

from disconnect_events.connect import ConnectDataV1, ConnectEventV1
from disconnect_events.dead_letter import DeadLetterV1, DeadReason
from disconnect_events.event import DisconnectDataV1, DisconnectEventV1, Provider, Reason
from disconnect_events.problem import describe_problem, is_unsupported_version
from disconnect_events.publish_error import (
    BrokerRefused,
    EventTooLarge,
    NobodyListens,
    NotConfirmed,
    PublishFailed,
)
from disconnect_events.webhook import WebhookDataV1, WebhookV1

if TYPE_CHECKING:
    from disconnect_events.publisher import DisconnectPublisher

__all__ = [
    "BrokerRefused",
    "ConnectDataV1",
    "ConnectEventV1",
    "DeadLetterV1",
    "DeadReason",
    "DisconnectDataV1",
    "DisconnectEventV1",
    "DisconnectPublisher",
    "EventTooLarge",
    "NobodyListens",
    "NotConfirmed",
    "Provider",
    "PublishFailed",
    "Reason",
    "WebhookDataV1",
    "WebhookV1",
    "describe_problem",
    "is_unsupported_version",
]


def __getattr__(name: str) -> object:
    """Import the publisher only for those who publish: it takes a client of the broker along."""
    if name != "DisconnectPublisher":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from disconnect_events.publisher import DisconnectPublisher  # noqa: PLC0415

    return DisconnectPublisher
