"""What publishers of AMQP 1.0 send, as RabbitMQ hands it on to AMQP 0-9-1, byte for byte."""

import gzip
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.harness.worker.disconnect import EXAMPLE_AT, body, disconnect

from disconnect_fanout.adapters.broker.amqp1_body import unwrapped
from disconnect_fanout.adapters.broker.codec import decode_event, event_id_of
from disconnect_fanout.adapters.broker.unreadable import Unreadable
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.rejection import Rejection, RejectReason

GOOD = body(disconnect("evt_1"))
EVENT = decode_event(GOOD, None)
SHORT = b'{"id":"evt_1"}'
WAY_OUT = "send the JSON as one text value (a JMS TextMessage) or in data sections"

DATA, SEQUENCE, VALUE, FOOTER = 0x75, 0x76, 0x77, 0x78
STRING, BINARY, SYMBOL = (0xA1, 0xB1), (0xA0, 0xB0), (0xA3, 0xB3)


def sized(codes: tuple[int, int], content: bytes) -> bytes:
    """A value of variable width, in its short form if it fits."""
    if len(content) < 256:
        return struct.pack(">BB", codes[0], len(content)) + content
    return struct.pack(">BI", codes[1], len(content)) + content


def section(number: int, value: bytes) -> bytes:
    """A section as RabbitMQ encodes it: a small ulong describes the value."""
    return bytes([0, 0x53, number]) + value


def wide(number: int, value: bytes) -> bytes:
    """The same with a descriptor of eight bytes, as some clients write it."""
    return b"\x00\x80" + struct.pack(">Q", number) + value


def named(name: bytes, value: bytes) -> bytes:
    """The same with a descriptor in words."""
    return b"\x00" + sized(SYMBOL, name) + value


def halves(content: bytes) -> bytes:
    """In two data sections, as 3.x hands them on."""
    return section(DATA, sized(BINARY, content[:9])) + section(DATA, sized(BINARY, content[9:]))


FOOTED = section(FOOTER, b"\xd1" + struct.pack(">II", 10, 2) + b"\xa3\x01c\xa1\x01v")
READ = {
    "a text value": section(VALUE, sized(STRING, GOOD)),
    "a text value, long form": section(VALUE, struct.pack(">BI", 0xB1, len(GOOD)) + GOOD),
    "a binary value": section(VALUE, sized(BINARY, GOOD)),
    "a symbol": section(VALUE, sized(SYMBOL, GOOD)),
    "a wide descriptor": wide(VALUE, sized(STRING, GOOD)),
    "a named descriptor": named(b"amqp:amqp-value:*", sized(STRING, GOOD)),
    "a footer behind it": section(VALUE, sized(STRING, GOOD)) + FOOTED,
    "one data section": section(DATA, sized(BINARY, GOOD)),
    "two data sections": halves(GOOD),
    "data sections and a footer": halves(GOOD) + FOOTED,
    "named data": named(b"amqp:data:binary", sized(BINARY, GOOD)),
    "a header before it": section(0x70, b"\xc0\x02\x01\x41") + section(VALUE, sized(STRING, GOOD)),
}


@pytest.mark.parametrize("content", READ.values(), ids=READ.keys())
@pytest.mark.parametrize("content_type", [None, "application/json"])
def test_what_holds_one_text_is_that_text(content: bytes, content_type: str | None) -> None:
    """A JMS TextMessage has no content type; the event is the same as if it came as JSON."""
    assert decode_event(content, content_type) == EVENT
    assert event_id_of(content, {}) == "evt_1"


def test_the_short_form_is_read_byte_for_byte() -> None:
    """The example of the standard: 0x77 describes, 0xa1 is a string of at most 255 bytes."""
    assert unwrapped(b'\x00\x53\x77\xa1\x0e{"id":"evt_1"}') == SHORT
    assert unwrapped(b'\x00\x53\x75\xa0\x0e{"id":"evt_1"}') == SHORT
    assert unwrapped(b'\x00\x53\x77\xb1\x00\x00\x00\x0e{"id":"evt_1"}') == SHORT


MAP = b"\xc1\x0a\x02\xa1\x02id\xa1\x03evt"
NO_TEXT = {
    "a map": section(VALUE, MAP),
    "a list": section(VALUE, b"\xc0\x03\x01\xa1\x00"),
    "an empty list": section(VALUE, b"\x45"),
    "an array": section(VALUE, b"\xe0\x04\x01\xa1\x01a"),
    "a number": section(VALUE, b"\x71\x00\x00\x00\x07"),
    "a long": section(VALUE, b"\x81\x00\x00\x00\x00\x00\x00\x00\x07"),
    "a uuid": section(VALUE, b"\x98" + bytes(16)),
    "a truth": section(VALUE, b"\x41"),
    "a sequence": section(SEQUENCE, b"\xc0\x05\x01\xa1\x02{}"),
}


@pytest.mark.parametrize("content", NO_TEXT.values(), ids=NO_TEXT.keys())
def test_what_is_no_text_is_named_with_the_way_out(content: bytes) -> None:
    """A MapMessage, a list, a number: nothing is guessed."""
    words = f"body: is an AMQP 1.0 map, list or number, not a text; {WAY_OUT}"
    assert decode_event(content, None) == Rejection(RejectReason.MALFORMED, words)


SEVERAL = {
    "two values": section(VALUE, sized(STRING, SHORT)) * 2,
    "data and a value": section(DATA, sized(BINARY, b"{")) + section(VALUE, sized(STRING, b"}")),
    "two long values": section(VALUE, sized(STRING, GOOD)) * 2,
    "three symbols and a footer": section(VALUE, sized(SYMBOL, SHORT)) * 3 + FOOTED,
    "a text and a map": section(VALUE, sized(STRING, SHORT)) + section(VALUE, b"\xc1\x01\x00"),
    "a text and a null": section(VALUE, sized(STRING, SHORT)) + section(VALUE, b"\x40"),
    "a text and a list": section(VALUE, sized(STRING, SHORT)) + section(SEQUENCE, b"\x45"),
}


@pytest.mark.parametrize("content", SEVERAL.values(), ids=SEVERAL.keys())
def test_more_than_one_text_is_no_map(content: bytes) -> None:
    """Which of them were the event? It is not guessed, and the words say what came."""
    words = f"body: is AMQP 1.0 of several sections, not one text; {WAY_OUT}"
    assert decode_event(content, None) == Rejection(RejectReason.MALFORMED, words)


@pytest.mark.parametrize("content", [section(VALUE, b"\x40"), FOOTED, section(0x70, b"\x45")])
def test_a_message_without_content_is_named(content: bytes) -> None:
    """A TextMessage whose text is null."""
    words = f"body: is AMQP 1.0 without any content; {WAY_OUT}"
    assert decode_event(content, None) == Rejection(RejectReason.MALFORMED, words)


BROKEN = {
    "cut short": section(VALUE, sized(STRING, GOOD))[:-1],
    "no size": section(VALUE, b"\xb1\x00"),
    "no value": section(VALUE, b""),
    "a section that nobody knows": section(0x42, sized(STRING, GOOD)),
    "a name that nobody knows": named(b"acme:event:text", sized(STRING, GOOD)),
    "a type that nobody knows": section(VALUE, b"\x10"),
    "a type of somebody's own": section(VALUE, b"\x00\x53\x01\xa1\x02{}"),
    "something behind it": section(VALUE, sized(STRING, GOOD)) + b"{}",
    "descriptors without end": b"\x00\xa3" + b"\x00" * 100_000,
    "a size beyond it": section(VALUE, b"\xb1\xff\xff\xff\xff{}"),
    "sections without end": section(VALUE, b"\x40") * 100_000,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_broken_is_said_to_be(content: bytes) -> None:
    """Bounded in time and memory, whatever sizes it claims."""
    words = f"body: is AMQP 1.0 that ends too early or is not encoded right; {WAY_OUT}"
    assert decode_event(content, None) == Rejection(RejectReason.MALFORMED, words)


def test_the_text_within_is_held_to_the_same_rules() -> None:
    """A byte-order mark, a compression, a key that stands twice: as in any other body."""
    for text, words in (
        (b"\xef\xbb\xbf" + GOOD, "byte-order mark"),
        (gzip.compress(GOOD), "compressed (gzip)"),
        (b'{"id":1,"id":2}', "id: stands twice"),
        (b"{", "is not valid JSON"),
    ):
        found = decode_event(section(VALUE, sized(BINARY, text)), None)
        assert isinstance(found, Rejection)
        assert words in found.detail


def test_a_cloud_event_may_come_as_a_value() -> None:
    """Its attributes are application properties, which RabbitMQ 4 hands on as headers."""
    headers = {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": "evt_1",
        "cloudEvents:type": "user.calendar.disconnected",
        "cloudEvents:time": EXAMPLE_AT,
    }
    data = json.dumps(disconnect("evt_1")["data"]).encode()
    assert decode_event(section(VALUE, sized(STRING, data)), None, headers) == EVENT


@given(
    st.binary(max_size=60), st.sampled_from([b"\x00S", b"\x00\x80\x00", b"\x00\xa3", b"\x00\xb3"])
)
def test_no_bytes_raise(content: bytes, start: bytes) -> None:
    """Whatever looks like AMQP 1.0 is read, or is named."""
    assert isinstance(unwrapped(start + content), bytes | Unreadable)
    assert not isinstance(decode_event(start + content, None), DisconnectEvent)


@given(st.binary(max_size=300).filter(lambda content: not content.startswith(b"\x00")))
def test_any_other_body_stays_as_it_is(content: bytes) -> None:
    """No JSON text begins with a zero byte."""
    assert unwrapped(content) == content
