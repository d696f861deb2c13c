"""The wire contracts of disconnect-fanout, for publishers and receivers.

Needs nothing but pydantic, and nothing of the worker: upstream builds a ``DisconnectEventV1`` and
publishes it with a ``DisconnectPublisher``. Each name is imported when it is used, so that nobody
waits for a client of the broker, or for models, that they don't need. The same contracts as JSON
Schema are in ``jsonschema/``, as OpenAPI and AsyncAPI in ``apis/``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    from disconnect_events.publisher import DisconnectPublisher
    from disconnect_events.webhook import WebhookDataV1, WebhookV1

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

_HOMES = {
    "connect": ("ConnectDataV1", "ConnectEventV1"),
    "dead_letter": ("DeadLetterV1", "DeadReason"),
    "event": ("DisconnectDataV1", "DisconnectEventV1", "Provider", "Reason"),
    "problem": ("describe_problem", "is_unsupported_version"),
    "publish_error": (
        "BrokerRefused", "EventTooLarge", "NobodyListens", "NotConfirmed", "PublishFailed",
    ),
    "publisher": ("DisconnectPublisher",),
    "webhook": ("WebhookDataV1", "WebhookV1"),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a name from the module that is its home."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
