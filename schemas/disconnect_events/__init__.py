"""The wire contracts of disconnect-fanout, for publishers and receivers.

Needs nothing but pydantic, and nothing of the worker: upstream can build a ``DisconnectEventV1``
and publish its ``model_dump_json()``. The same contracts as JSON Schema are in ``jsonschema/``.
"""

from disconnect_events.connect import ConnectDataV1, ConnectEventV1
from disconnect_events.dead_letter import DeadLetterV1, DeadReason
from disconnect_events.event import DisconnectDataV1, DisconnectEventV1, Provider, Reason
from disconnect_events.problem import describe_problem, is_unsupported_version
from disconnect_events.webhook import WebhookDataV1, WebhookV1

__all__ = [
    "ConnectDataV1",
    "ConnectEventV1",
    "DeadLetterV1",
    "DeadReason",
    "DisconnectDataV1",
    "DisconnectEventV1",
    "Provider",
    "Reason",
    "WebhookDataV1",
    "WebhookV1",
    "describe_problem",
    "is_unsupported_version",
]
