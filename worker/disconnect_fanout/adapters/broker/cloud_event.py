"""CloudEvents 1.0 in binary mode: attributes are headers, the body is the event's ``data`` alone.

The AMQP binding writes ``cloudEvents:id`` or ``cloudEvents_id``; bridges from HTTP write ``ce-id``.
"""

from collections.abc import Mapping
from datetime import datetime

import orjson

PREFIXES = ("cloudEvents:", "cloudEvents_", "ce-", "ce_")
_FIELDS = {"id": "id", "event_type": "type", "timestamp": "time"}


def envelope(body: bytes, headers: Mapping[str, object]) -> bytes | None:
    """Return our own envelope around the body, or None if the headers name no CloudEvent.

    None also if the body is no JSON: spliced in, it could end the envelope's data and write fields
    of its own.

    What is missing or wrong in it is found by whoever parses it, as in any other event.
    """
    attributes = {
        name.removeprefix(prefix): attribute(value)
        for name, value in headers.items()
        for prefix in PREFIXES
        if name.startswith(prefix)
    }
    version = attributes.get("specversion")
    if version is None or not _is_json(body):
        return None
    known = {ours: attributes[theirs] for ours, theirs in _FIELDS.items() if theirs in attributes}
    # Another major version may mean something else by the same words.
    api_version = "v1" if str(version).startswith("1.") else f"CloudEvents {version}"
    return orjson.dumps({**known, "api_version": api_version, "data": orjson.Fragment(body)})


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


def attribute(value: object) -> object:
    """Return an attribute as text or as a number; what JSON can't say counts as null.

    So do bytes that are no text: with marks in their place, two events could end up with one id.
    """
    match value:
        case bytes() | bytearray():
            text: object = value.decode(errors="surrogateescape")
        case datetime():  # AMQP has a type for it
            text = value.isoformat()
        case _:
            text = value
    try:
        orjson.dumps(text)
    except orjson.JSONEncodeError:
        return None
    return text
