"""Between the wire and the domain: messages in, webhook bodies and dead letters out."""

from collections.abc import Mapping
from datetime import datetime

import orjson
from pydantic import ValidationError

from disconnect_events import (
    ConnectEventV1,
    DeadLetterV1,
    DisconnectEventV1,
    describe_problem,
    is_unsupported_version,
)
from disconnect_events.event import LARGEST_EVENT
from disconnect_fanout.adapters.broker.cloud_event import OTHER_CLOUD_EVENTS
from disconnect_fanout.adapters.broker.event_fields import (
    doubled_field,
    event_fields,
    readable_id,
)
from disconnect_fanout.adapters.broker.unreadable import Unreadable
from disconnect_fanout.domain.connection import CONNECT_TYPE, ConnectEvent
from disconnect_fanout.domain.dead_letter import DeadLetter
from disconnect_fanout.domain.event import (
    API_VERSION,
    EVENT_TYPE,
    DisconnectEvent,
    Provider,
    Reason,
    User,
)
from disconnect_fanout.domain.identity import webhook_event_id
from disconnect_fanout.domain.rejection import Rejection, RejectReason

_JSON = "application/json"
_UTF8 = ("", "utf-8", "utf8")


def decode_event(
    body: bytes,
    content_type: str | None,
    headers: Mapping[str, object] | None = None,
    content_encoding: str | None = None,
) -> DisconnectEvent | ConnectEvent | Rejection:
    """Parse an upstream message (CONTRACT section 3); nothing is coerced.

    Args:
        body: as published.
        content_type: the message's property; absent, or JSON with or without a charset.
        headers: that may make it a CloudEvent.
        content_encoding: the message's property.
    """
    if len(body) > LARGEST_EVENT:
        return Rejection(
            RejectReason.TOO_LARGE, f"{len(body)} bytes; at most {LARGEST_EVENT} are accepted"
        )
    if (problem := _content_type_problem(content_type)) is not None:
        return Rejection(RejectReason.MALFORMED, problem)
    fields = event_fields(body, headers or {}, content_encoding)
    if isinstance(fields, Unreadable):
        return Rejection(RejectReason.MALFORMED, f"body: {fields.words}")
    return _judged(fields)


def _judged(fields: object) -> DisconnectEvent | ConnectEvent | Rejection:
    if (problem := doubled_field(fields)) is not None:
        return Rejection(RejectReason.MALFORMED, problem, readable_id(fields))
    try:
        if isinstance(fields, dict) and fields.get("event_type") == CONNECT_TYPE:
            return _connection(ConnectEventV1.model_validate(fields))
        return _event(DisconnectEventV1.model_validate(fields))
    except ValidationError as error:
        unsupported = is_unsupported_version(error)
        return Rejection(
            RejectReason.UNSUPPORTED_VERSION if unsupported else RejectReason.MALFORMED,
            _unsupported(fields) if unsupported else describe_problem(error),
            readable_id(fields),
        )


def _unsupported(fields: object) -> str:
    """Name the field that its publisher has written."""
    named = fields.get("api_version") if isinstance(fields, dict) else None
    if str(named).startswith(OTHER_CLOUD_EVENTS):
        return "specversion: only CloudEvents 1.x is known"
    return f"api_version: only {API_VERSION} is known"


def event_id_of(
    body: bytes, headers: Mapping[str, object], content_encoding: str | None = None
) -> str | None:
    """Return the id of a message that nobody has decoded, if it can be read and shown."""
    if len(body) > LARGEST_EVENT:
        return None
    return readable_id(event_fields(body, headers, content_encoding))


def encode_event(event: DisconnectEvent) -> bytes:
    """Return the body of an event that we publish in upstream's place.

    It was judged when it was promised. One that was promised under an older rule is published all
    the same: it ends among the rejected ones, in sight, and holds up none of those behind it.
    """
    fields: dict[str, object] = {
        "id": event.id,
        "event_type": EVENT_TYPE,
        "timestamp": _instant(event.timestamp),
        "api_version": API_VERSION,
        "data": {
            "user_email": event.user.email,
            "google_id": event.user.google_id,
            "provider": event.provider.value,
            "disconnected_at": _instant(event.disconnected_at),
            "reason": event.reason.value,
            "initiated_by": event.initiated_by,
        },
    }
    if event.platform_ids:
        fields["platform_ids"] = event.platform_ids
    return orjson.dumps(fields)


def encode_webhook(event: DisconnectEvent, platform_id: str) -> bytes:
    """Return the body for one recipient, byte for byte as CONTRACT section 5 says.

    It is ``WebhookV1.body()`` written out, because it runs for every attempt; a test holds the two
    together.
    """
    data: dict[str, str | None] = {
        "user_email": event.user.email,
        "google_id": event.user.google_id,
        "disconnected_at": _instant(event.disconnected_at),
        "reason": event.reason.value,
    }
    if event.provider is not Provider.GOOGLE:
        data["provider"] = event.provider.value
    return orjson.dumps(
        {
            "id": webhook_event_id(event.id),
            "event_type": EVENT_TYPE,
            "timestamp": _instant(event.timestamp),
            "platform_id": platform_id,
            "api_version": API_VERSION,
            "data": data,
        }
    )


def encode_letter(letter: DeadLetter) -> bytes:
    """Return the body of a message in the dead-letter queue."""
    return DeadLetterV1(
        delivery_id=letter.delivery_id,
        event_id=letter.event_id,
        platform_id=letter.platform_id,
        reason=letter.reason.value,
        attempts=letter.attempts,
        last_result=letter.last_result,
        last_status=letter.last_status,
        first_failed_at=letter.first_failed_at,
        dead_at=letter.dead_at,
        replays=letter.replays,
    ).body()


def _event(model: DisconnectEventV1) -> DisconnectEvent:
    data = model.data
    return DisconnectEvent(
        id=model.id,
        timestamp=model.timestamp.replace(microsecond=0),
        user=User(data.user_email, data.google_id),
        provider=Provider(data.provider),
        disconnected_at=data.disconnected_at.replace(microsecond=0),
        reason=Reason(data.reason),
        initiated_by=data.initiated_by,
        platform_ids=tuple(model.platform_ids) or None,
    )


def _connection(model: ConnectEventV1) -> ConnectEvent:
    data = model.data
    return ConnectEvent(
        id=model.id,
        timestamp=model.timestamp.replace(microsecond=0),
        user=User(data.user_email, data.google_id),
        provider=Provider(data.provider),
        connected_at=data.connected_at.replace(microsecond=0),
        platform_id=data.platform_id,
    )


def _content_type_problem(content_type: str | None) -> str | None:
    if not content_type:
        return None
    kind, _, parameters = content_type.partition(";")
    if kind.strip().lower() != _JSON:
        return f"content-type must be {_JSON}"
    for one in parameters.split(";"):
        name, _, charset = one.partition("=")
        if name.strip().lower() == "charset" and charset.strip(' "').lower() not in _UTF8:
            return "charset must be utf-8"
    return None


def _instant(instant: datetime) -> str:
    """UTC with ``Z``, whole seconds."""
    return f"{instant.isoformat()[:19]}Z"  # strftime would write the year 33 without its zeros
