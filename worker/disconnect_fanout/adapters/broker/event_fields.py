"""From a message to the fields of an event, as its publisher named them; nothing is judged yet."""

from collections.abc import Mapping

from disconnect_events import ConnectEventV1, DisconnectEventV1
from disconnect_events.connect import ConnectDataV1
from disconnect_events.event import DisconnectDataV1
from disconnect_events.json_text import NotJson, doubled_keys, read_json
from disconnect_fanout.adapters.broker.cloud_event import envelope
from disconnect_fanout.adapters.broker.message_text import text_of
from disconnect_fanout.adapters.broker.unreadable import Unreadable

_LONGEST_ID = 128
_KNOWN = frozenset({*DisconnectEventV1.model_fields, *ConnectEventV1.model_fields})
_KNOWN_DATA = frozenset({*DisconnectDataV1.model_fields, *ConnectDataV1.model_fields})


def event_fields(
    body: bytes, headers: Mapping[str, object], content_encoding: str | None
) -> object | Unreadable:
    """Return what the body says, in the envelope that a CloudEvent has in its headers.

    That it is an object is not yet known.
    """
    text = text_of(body, content_encoding)
    if isinstance(text, Unreadable):
        return text
    try:
        said = read_json(text)
    except NotJson as problem:
        return Unreadable(str(problem))
    enveloped = envelope(said, headers)
    return said if enveloped is None else enveloped


def doubled_field(fields: object) -> str | None:
    """Say which field stands twice, if one does; by its name only if that is one of ours.

    Of two values none can be right, and readers differ in which one they take.
    """
    for one in doubled_keys(fields):
        return f"{one}: stands twice" if one in _KNOWN else "body: a key stands in it twice"
    data = fields.get("data") if isinstance(fields, dict) else None
    for one in doubled_keys(data):
        return (
            f"data.{one}: stands twice" if one in _KNOWN_DATA else "data: a key stands in it twice"
        )
    return None


def readable_id(fields: object) -> str | None:
    """Return the id of an event that is wrong elsewhere, if it can be shown without harm."""
    if not isinstance(fields, dict) or "id" in doubled_keys(fields):
        return None
    name = fields.get("id")
    if not isinstance(name, str) or " " in name or "@" in name:
        return None
    harmless = name.isascii() and name.isprintable() and len(name) <= _LONGEST_ID
    return name if harmless else None
