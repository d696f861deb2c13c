"""The headers of a CloudEvent that a rejected event keeps, so that its replay is that event.

One frame of 128 KiB holds all properties of a message; a larger one ends the connection.
"""

from collections.abc import Mapping

from disconnect_fanout.adapters.broker.cloud_event import READ, attribute, attribute_name

_ROOM = 64 * 1024  # bytes; half a frame, for what is ours needs some too
_LONGEST_VALUE = 1024
_OVERHEAD = 16  # what AMQP writes beside a name and a value, at most


def attributes_of(headers: Mapping[str, object]) -> dict[str, str | int]:
    """Return what makes the body an event; never x-death, nor anything else that upstream attached.

    What an event is read from comes first, then extensions for as long as there is room.
    """
    kept: dict[str, str | int] = {}
    left = _ROOM
    for name, value in sorted(headers.items(), key=_is_extension):
        said = attribute(value) if attribute_name(name) else None
        if not isinstance(said, str | int) or (size := len(str(said).encode())) > _LONGEST_VALUE:
            continue
        left -= len(name.encode()) + size + _OVERHEAD
        if left < 0:
            break
        kept[name] = said
    return kept


def _is_extension(header: tuple[str, object]) -> bool:
    return attribute_name(header[0]) not in READ
