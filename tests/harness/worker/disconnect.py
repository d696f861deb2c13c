"""Disconnect events as upstream publishes them."""

import json
from datetime import UTC, datetime
from typing import Any

EXAMPLE_AT = "2025-11-21T15:45:00Z"


def disconnect(event_id: str, email: str = "alice@example.com", **changes: Any) -> dict[str, Any]:
    """Return an event, changed in fields of ``data`` or, if they are there, of the top level.

    Args:
        event_id: The idempotency key.
        email: Whose connection ended.
        changes: Such as ``reason="revoked"`` or ``api_version="v2"``.
    """
    event: dict[str, Any] = {
        "id": event_id,
        "event_type": "user.calendar.disconnected",
        "timestamp": EXAMPLE_AT,
        "api_version": "v1",
        "data": {
            "user_email": email,
            "google_id": "105942374304",
            "provider": "google",
            "disconnected_at": EXAMPLE_AT,
            "reason": "user_requested",
            "initiated_by": "plat_boardy",
        },
    }
    for name, value in changes.items():
        (event if name in event or name == "platform_ids" else event["data"])[name] = value
    return event


def connect(event_id: str, platform_id: str, **changes: Any) -> dict[str, Any]:
    """Return a connect event of alice, changed in fields of ``data``."""
    return {
        "id": event_id,
        "event_type": "user.calendar.connected",
        "timestamp": EXAMPLE_AT,
        "api_version": "v1",
        "data": {
            "user_email": "alice@example.com",
            "google_id": "105942374304",
            "connected_at": "2025-11-01T09:30:00Z",
            "platform_id": platform_id,
            **changes,
        },
    }


def body(event: dict[str, Any]) -> bytes:
    """Return it as it goes over the wire."""
    return json.dumps(event).encode()


def now_text() -> str:
    """Return this second as RFC 3339."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
