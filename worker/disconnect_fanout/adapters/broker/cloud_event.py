"""CloudEvents 1.0 in binary mode: attributes are headers, the body is the event's ``data`` alone.

The AMQP binding writes ``cloudEvents:id`` or ``cloudEvents_id``; bridges from HTTP write ``ce-id``.
"""

from collections.abc import Mapping
from datetime import datetime

import orjson

from disconnect_fanout.adapters.broker.unreadable import Unreadable

PREFIXES = ("cloudEvents:", "cloudEvents_", "ce-", "ce_")
_FIELDS = {"id": "id", "event_type": "type", "timestamp": "time"}
_VERSION = "specversion"
OTHER_CLOUD_EVENTS = "CloudEvents "
READ = frozenset({_VERSION, *_FIELDS.values()})


def envelope(data: object, headers: Mapping[str, object]) -> dict[str, object] | Unreadable | None:
    """Return our own envelope around the data, or None if the headers name no CloudEvent.

    What is missing or wrong in it is found by whoever reads it, as in any other event.
    """
    attributes: dict[str, object] = {}
    for name, value in headers.items():
        which = attribute_name(name)
        if which not in READ:
            continue
        said = attribute(value)
        if attributes.setdefault(which, said) != said:
            # Under two prefixes: none of the two can be right.
            return Unreadable(f"is a CloudEvent whose attribute {which} stands twice")
    version = attributes.get(_VERSION)
    if version is None:
        return None
    known = {ours: attributes[theirs] for ours, theirs in _FIELDS.items() if theirs in attributes}
    # Another major version may mean something else by the same words.
    api_version = "v1" if str(version).startswith("1.") else f"{OTHER_CLOUD_EVENTS}{version}"
    return {**known, "api_version": api_version, "data": data}


def attribute_name(header: str) -> str:
    """Return the attribute that a header holds, empty if it holds none."""
    for prefix in PREFIXES:
        if header.startswith(prefix):
            return header.removeprefix(prefix)
    return ""


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
