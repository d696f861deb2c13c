"""What a publisher of AMQP 1.0 sends, as RabbitMQ hands it on to AMQP 0-9-1.

A body of data sections arrives as its bytes. Any other one arrives as it was encoded for AMQP 1.0,
with the property ``type: amqp-1.0``: sections one behind the other, on 4.x with a footer. So does
the text of a JMS TextMessage, which is one value. RabbitMQ 3.x also sent several data sections so.

The bytes say it themselves: each section begins with 0x00, and no JSON text does. (The property
may be missing: a message whose other properties can't be read has none.)

Encodings: AMQP 1.0, part 1 (types), sections 1.2 and 1.6; part 3 (messaging), section 3.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from disconnect_fanout.adapters.broker.unreadable import Unreadable

_DATA, _SEQUENCE, _VALUE = 0x75, 0x76, 0x77
_SECTIONS = range(0x70, 0x79)  # header to footer
_NAMES = {b"amqp:data:binary": _DATA, b"amqp:amqp-sequence:list": _SEQUENCE,
          b"amqp:amqp-value:*": _VALUE, b"amqp:footer:map": 0x78}  # fmt: skip

_SMALL_ULONG, _ULONG, _SYMBOLS = 0x53, 0x80, (0xA3, 0xB3)
_DESCRIBED, _NULL = 0x00, 0x40
_MOST_SECTIONS = 1000
_BYTES = frozenset({0xA0, 0xB0})
_TEXTS = frozenset({0xA0, 0xA1, 0xA3, 0xB0, 0xB1, 0xB3})  # binary, string, symbol
_FIXED_WIDTH = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}
_SIZE_WIDTH = {0xA: 1, 0xB: 4, 0xC: 1, 0xD: 4, 0xE: 1, 0xF: 4}

_WAY_OUT = "send the JSON as one text value (a JMS TextMessage) or in data sections"


class _Broken(Exception):
    """The bytes are no sections of AMQP 1.0."""


@dataclass(frozen=True, slots=True)
class _Item:
    """One encoded value: its format code, its content, and where the next one begins."""

    code: int
    content: bytes
    end: int


def unwrapped(body: bytes) -> bytes | Unreadable:
    """Return what the sections of AMQP 1.0 hold; any other body as it is."""
    if not body.startswith((b"\x00S", b"\x00\x80\x00", b"\x00\xa3", b"\x00\xb3")):
        return body
    try:
        found = [one for one in _sections(body) if one[0] in {_DATA, _SEQUENCE, _VALUE}]
    except _Broken:
        return Unreadable(f"is AMQP 1.0 that ends too early or is not encoded right; {_WAY_OUT}")
    if len(found) == 1 and found[0][0] == _VALUE and found[0][1].code in _TEXTS:
        return found[0][1].content
    if found and all(kind == _DATA and item.code in _BYTES for kind, item in found):
        return b"".join(item.content for _, item in found)
    return Unreadable(f"is {_kind_of(found)}; {_WAY_OUT}")


def _kind_of(found: Sequence[tuple[int, _Item]]) -> str:
    """In words: what came instead of one text."""
    if all(item.code == _NULL for _, item in found):
        return "AMQP 1.0 without any content"
    if len(found) > 1 and any(_is_text(kind, item) for kind, item in found):
        return "AMQP 1.0 of several sections, not one text"
    return "an AMQP 1.0 map, list or number, not a text"


def _is_text(kind: int, item: _Item) -> bool:
    return item.code in (_BYTES if kind == _DATA else _TEXTS) and kind != _SEQUENCE


def _sections(body: bytes) -> list[tuple[int, _Item]]:
    found: list[tuple[int, _Item]] = []
    place = 0
    while place < len(body):
        if body[place] != _DESCRIBED or len(found) == _MOST_SECTIONS:
            raise _Broken
        descriptor = _item(body, place + 1)
        item = _item(body, descriptor.end)
        found.append((_section(descriptor), item))
        place = item.end
    return found


def _section(descriptor: _Item) -> int:
    if descriptor.code in {_SMALL_ULONG, _ULONG}:
        number = int.from_bytes(descriptor.content)
    elif descriptor.code in _SYMBOLS:
        number = _NAMES.get(descriptor.content, 0)
    else:
        number = 0
    if number not in _SECTIONS:
        raise _Broken
    return number


def _item(body: bytes, place: int) -> _Item:
    """Read one value; what is in a list or a map is not looked into.

    Types of somebody's own (a descriptor within a value) are not known: they hold no text.
    """
    code = _number(body, place, 1)
    start = place + 1
    if (width := _FIXED_WIDTH.get(code >> 4)) is None:
        size_width = _SIZE_WIDTH.get(code >> 4)
        if size_width is None:
            raise _Broken
        width = _number(body, start, size_width)
        start += size_width
    content = body[start : start + width]
    if len(content) < width:
        raise _Broken
    return _Item(code, content, start + width)


def _number(body: bytes, place: int, width: int) -> int:
    raw = body[place : place + width]
    if len(raw) < width:
        raise _Broken
    return int.from_bytes(raw)
