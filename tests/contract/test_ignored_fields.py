"""Fields that nobody reads are ignored whatever is in them; what we read is read once."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.harness.worker.disconnect import EXAMPLE_AT, body, connect, disconnect

from disconnect_events.event import LARGEST_EVENT
from disconnect_fanout.adapters.broker.codec import decode_event
from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.rejection import Rejection, RejectReason

EVENT = disconnect("evt_1")
DECODED = decode_event(body(EVENT), None)
CLOUD = {
    "ce-specversion": "1.0",
    "ce-id": "evt_1",
    "ce-type": "user.calendar.disconnected",
    "ce-time": EXAMPLE_AT,
}
Place = Callable[[str], bytes]


def at_the_top(raw: str) -> bytes:
    """The event with a raw piece of JSON in a field that nobody knows."""
    return f'{json.dumps(EVENT)[:-1]},"note":{raw}}}'.encode()


def in_data(raw: str) -> bytes:
    """The same inside its data."""
    data = f'{json.dumps(EVENT["data"])[:-1]},"note":{raw}}}'
    return json.dumps({**EVENT, "data": 0}).replace('"data": 0', f'"data": {data}').encode()


def first(raw: str) -> bytes:
    """The same before all other fields, so that they are read behind it."""
    return f'{{"note":{raw},{json.dumps(EVENT)[1:]}'.encode()


def deep(levels: int, opening: str = "[", closing: str = "]") -> str:
    """A value of so many levels."""
    return opening * levels + "1" + closing * levels


ODD = {
    "half a surrogate pair": r'"\ud800"',
    "halves in the wrong order": r'"\udc00\ud800"',
    "half a pair in a key": r'{"\ud83d":1}',
    "a zero character": r'"\u0000"',
    "a huge number": "9" * 10_000,
    "a huge negative number": "-" + "9" * 10_000,
    "a huge exponent": "1e99999",
    "many decimals": "0." + "1" * 10_000,
    "minus zero": "-0",
    "keys twice": '{"id":1,"id":2,"a":{"b":1,"b":2}}',
    "our own names": json.dumps({"id": 7, "data": {"reason": None}, "api_version": "v9"}),
    "nested, as a parser allows": deep(150),
    "nested, too deep for most": deep(2_000),
    "nested, too deep for all": deep(100_000),
    "nested objects": deep(20_000, '{"a":', "}"),
    "nested, and wide": deep(2_000, '[{},"]}",[],{"a":', "}]"),
    "the word NaN": '"NaN and Infinity"',
}


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("place", [at_the_top, in_data, first])
def test_an_ignored_field_may_hold_anything(place: Place, raw: str) -> None:
    """The event is the same with it and without it."""
    assert decode_event(place(raw), "application/json") == DECODED


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD.keys())
def test_so_it_may_in_a_cloud_event_and_in_a_connect(raw: str) -> None:
    """Every way in which an event comes ignores the same."""
    data = f'{json.dumps(EVENT["data"])[:-1]},"note":{raw}}}'.encode()
    assert decode_event(data, "application/json", CLOUD) == DECODED
    text = f'{json.dumps(connect("evt_1", "plat_luma"))[:-1]},"note":{raw}}}'
    assert isinstance(decode_event(text.encode(), "application/json"), ConnectEvent)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)  # fmt: skip
unknown = st.text(st.characters(exclude_categories=())).filter(
    lambda key: key not in {*EVENT, *EVENT["data"], "platform_ids"}
)
extra = st.dictionaries(unknown, junk, max_size=5)


@settings(max_examples=200, deadline=None, database=None)
@given(extra, extra, st.booleans())
def test_any_junk_leaves_the_event_the_same(
    top: dict[str, Any],
    data: dict[str, Any],
    escaped: bool,  # noqa: FBT001
) -> None:
    """On both levels, with every character that JSON can say, escaped or as it is."""
    event = {**top, **EVENT, "data": {**data, **EVENT["data"]}}
    text = json.dumps(event, ensure_ascii=escaped)
    assert decode_event(text.encode(errors="replace"), None) == DECODED


def no_json(content: bytes) -> bool:
    found = decode_event(content, "application/json")
    assert isinstance(found, Rejection)
    assert found.reason is RejectReason.MALFORMED
    return found.detail.startswith("body: is not valid JSON")


@pytest.mark.parametrize("raw", [
    "NaN", "Infinity", "-Infinity", "01", "1.", ".5", "+1", "1e", "'a'", "undefined", "[1,]",
    '{"a":1,}', "{a:1}", '"\\x41"', '"\\ud8"', '"\t"', "[1 2]", "/**/1", "", deep(5_000)[:-1],
    f"{deep(5_000)}]", deep(5_000).replace("1", "NaN"), deep(5_000).replace("1", "1,"),
    deep(5_000, '{"a":', "}").replace("1", ":"), "[" * 5_000 + "}" * 5_000,
])  # fmt: skip
@pytest.mark.parametrize("place", [at_the_top, in_data, first])
def test_what_is_no_json_is_none_in_an_ignored_field_either(place: Place, raw: str) -> None:
    """A text is JSON or it is not; at every depth."""
    assert no_json(place(raw))


def test_a_mebibyte_of_brackets_is_no_event_and_no_harm() -> None:
    """Open, closed or mixed: refused by name, in bounded time."""
    for content in (b"[" * LARGEST_EVENT, b'{"":' * (LARGEST_EVENT // 4), b"]" * LARGEST_EVENT):
        assert no_json(content)
    half = LARGEST_EVENT // 2 - len(body(EVENT))
    assert decode_event(at_the_top(deep(half)), None) == DECODED


# ── a key that stands twice ──────────────────────────────────────────────────────────────────


def twice(field: str, value: object = "canary@example.com", *, last: bool = True) -> bytes:
    """The event with one field once more, before or behind the first one."""
    level, _, name = field.rpartition(".")
    inner = EVENT["data"] if level else EVENT
    one = f'"{name}": {json.dumps(value)}'
    text = json.dumps(inner)
    doubled = f"{text[:-1]}, {one}}}" if last else f"{{{one}, {text[1:]}"
    if not level:
        return doubled.encode()
    return json.dumps({**EVENT, "data": 0}).replace('"data": 0', f'"data": {doubled}').encode()


FIELDS = [*EVENT, *(f"data.{name}" for name in EVENT["data"])]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("last", [True, False])
def test_a_field_that_stands_twice_is_named(field: str, last: bool) -> None:  # noqa: FBT001
    """Also if both say the same; a publisher reads which one, and no value."""
    found = decode_event(twice(field, last=last), None)
    assert isinstance(found, Rejection)
    assert (found.reason, found.detail) == (RejectReason.MALFORMED, f"{field}: stands twice")
    assert found.event_id == (None if field == "id" else "evt_1")
    place = EVENT["data"] if "." in field else EVENT
    same = decode_event(twice(field, place[field.rpartition(".")[2]], last=last), None)
    assert same == found


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (body(EVENT).replace(b'"id"', rb'"\u0069d": "evt_2", "id"'), "id: stands twice"),
        (body(EVENT).replace(b'"reason"', rb'"rea\u0073on": 1, "reason"'),
         "data.reason: stands twice"),
        (b'{"canary": 1, "canary": 2}', "body: a key stands in it twice"),
        (body(EVENT).replace(b'"reason"', b'"canary": 1, "canary": 1, "reason"'),
         "data: a key stands in it twice"),
        (body(EVENT).replace(b'"id"', b'"id": 0, "id": 1, "id"'), "id: stands twice"),
        (at_the_top(deep(5_000)).replace(b'"id"', b'"id": 0, "id"'), "id: stands twice"),
        (body(disconnect("e", platform_ids=["a"])).replace(
            b'"platform_ids"', b'"platform_ids": ["b"], "platform_ids"'),
         "platform_ids: stands twice"),
    ],
)  # fmt: skip
def test_a_key_that_stands_twice_is_rejected_however_it_is_written(
    content: bytes, detail: str
) -> None:
    """Escapes are read before keys are compared; a name that is not ours is not repeated."""
    found = decode_event(content, None)
    assert isinstance(found, Rejection)
    assert (found.reason, found.detail) == (RejectReason.MALFORMED, detail)


def test_another_case_is_another_key() -> None:
    """So it is unknown, and ignored."""
    content = body(EVENT).replace(b'"id"', b'"ID": "evt_2", "Id": 1, "id"')
    assert decode_event(content, None) == DECODED


def test_so_it_is_in_connects_and_cloud_events() -> None:
    """The same rule, with the field named."""
    content = body(connect("evt_c", "plat_luma")).replace(
        b'"platform_id"', b'"platform_id": "plat_other", "platform_id"'
    )
    found = decode_event(content, None)
    assert isinstance(found, Rejection)
    assert found.detail == "data.platform_id: stands twice"
    data = body(EVENT["data"]).replace(b'"reason"', b'"reason": "revoked", "reason"')
    found = decode_event(data, None, CLOUD)
    assert isinstance(found, Rejection)
    assert (found.detail, found.event_id) == ("data.reason: stands twice", "evt_1")


@pytest.mark.parametrize("name", ["specversion", "id", "type", "time"])
def test_an_attribute_under_two_prefixes_is_one_that_stands_twice(name: str) -> None:
    """If they differ: a bridge that writes both forms alike is no contradiction."""
    data = body(EVENT["data"])
    alike = CLOUD | {f"cloudEvents:{name}": CLOUD[f"ce-{name}"]}
    assert isinstance(decode_event(data, None, alike), DisconnectEvent)
    found = decode_event(data, None, CLOUD | {f"cloudEvents:{name}": "canary"})
    assert isinstance(found, Rejection)
    assert found.detail == f"body: is a CloudEvent whose attribute {name} stands twice"


def test_half_a_surrogate_pair_in_a_field_that_is_read_is_named() -> None:
    """It can't be told to anybody."""
    for field in ("id", "user_email", "google_id", "initiated_by"):
        found = decode_event(body(disconnect("evt_1", **{field: "a\ud800@b.example"})), None)
        assert isinstance(found, Rejection)
        where = field if field == "id" else f"data.{field}"
        assert found.detail == f"{where}: must be text, without half a surrogate pair"
