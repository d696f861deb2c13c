"""Exchange, queues and webhook, described for machines: AsyncAPI 3.0."""

from typing import Any

from pydantic import BaseModel

from disconnect_events import example
from disconnect_events.connect import ConnectEventV1
from disconnect_events.dead_letter import DeadLetterV1
from disconnect_events.event import DisconnectEventV1
from disconnect_events.webhook import WebhookV1

EVENT_TYPE = "user.calendar.disconnected"
CONNECT_TYPE = "user.calendar.connected"


def document(exchange: str = "calendar.events", prefix: str = "fanout") -> dict[str, Any]:
    """Return the AsyncAPI document.

    Args:
        exchange: ``FANOUT_EXCHANGE``.
        prefix: ``FANOUT_PREFIX``.
    """
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "disconnect-fanout",
            "version": "1",
            "description": "When a user's calendar connection ends, every platform that had it "
            "connected is told.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "events": _exchange(exchange, EVENT_TYPE, "event"),
            "connects": _exchange(exchange, CONNECT_TYPE, "connect"),
            "queue": _queue(f"{prefix}.events", "Events to fan out.", "event"),
            "dead": _queue(f"{prefix}.dead", "One message for each open dead letter.", "dead"),
            "rejected": _queue(f"{prefix}.rejected", "What could not be processed.", "event"),
            "webhook": _webhook(),
        },
        "operations": {
            "takeEvents": _operation("receive", "events", "event", "Upstream publishes here."),
            "learnConnects": _operation(
                "receive", "connects", "connect", "Taken with FANOUT_DIRECTORY=managed."
            ),
            "tellPlatforms": _operation("send", "webhook", "webhook", "One for each platform."),
            "keepDeadLetters": _operation("send", "dead", "dead", "Browse them, don't consume."),
        },
        "components": {
            "messages": {
                "event": _message("A user's connection ended", DisconnectEventV1, example.EVENT),
                "connect": _message("A platform connected a user", ConnectEventV1, example.CONNECT),
                "webhook": _message("A platform is told", WebhookV1, example.WEBHOOK),
                "dead": _message("A delivery died", DeadLetterV1, example.DEAD_LETTER),
            },
        },
    }


def _exchange(name: str, key: str, message: str) -> dict[str, Any]:
    exchange = {"name": name, "type": "topic", "durable": True}
    return {
        "address": key,
        "description": "A topic exchange; the routing key is the event type. Publish persistent "
        "and mandatory, and wait for the confirm.",
        "messages": {message: _ref(message)},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
    }


def _queue(name: str, words: str, message: str) -> dict[str, Any]:
    queue = {"name": name, "durable": True, "exclusive": False, "autoDelete": False}
    return {
        "address": name,
        "description": f"{words} A quorum queue.",
        "messages": {message: _ref(message)},
        "bindings": {"amqp": {"is": "queue", "queue": queue, "bindingVersion": "0.3.0"}},
    }


def _webhook() -> dict[str, Any]:
    return {
        "address": None,
        "description": "POST to the platform's URL, signed as Standard Webhooks say. webhook-id is "
        "the same for every attempt and every replay of a delivery.",
        "messages": {"webhook": _ref("webhook")},
    }


def _operation(action: str, channel: str, message: str, words: str) -> dict[str, Any]:
    return {
        "action": action,
        "summary": words,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"}],
    }


def _message(title: str, model: type[BaseModel], shown: dict[str, object]) -> dict[str, Any]:
    template = f"#/components/messages/{_names[model]}/payload/$defs/{{model}}"
    return {
        "title": title,
        "contentType": "application/json",
        "payload": model.model_json_schema(ref_template=template),
        "examples": [{"payload": shown}],
    }


def _ref(message: str) -> dict[str, Any]:
    return {"$ref": f"#/components/messages/{message}"}


_names: dict[type[BaseModel], str] = {
    DisconnectEventV1: "event",
    ConnectEventV1: "connect",
    WebhookV1: "webhook",
    DeadLetterV1: "dead",
}
