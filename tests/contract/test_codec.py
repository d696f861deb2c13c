"""The codec: what comes in is an event or a rejection, what goes out is the contract's bytes."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.harness.worker.disconnect import EXAMPLE_AT, body, connect, disconnect

from disconnect_events import DeadLetterV1, WebhookDataV1, WebhookV1
from disconnect_events.event import LARGEST_EVENT
from disconnect_fanout.adapters.broker.codec import (
    decode_event,
    encode_event,
    encode_letter,
    encode_webhook,
)
from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.dead_letter import DeadLetter, DeadReason
from disconnect_fanout.domain.event import DisconnectEvent, Provider, Reason, User
from disconnect_fanout.domain.identity import webhook_event_id
from disconnect_fanout.domain.rejection import Rejection, RejectReason

AT = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)
EVENT = DisconnectEvent(
    id="evt_8f14e45fceea",
    timestamp=AT,
    user=User("alice@example.com", "105942374304"),
    provider=Provider.GOOGLE,
    disconnected_at=AT,
    reason=Reason.USER_REQUESTED,
    initiated_by="plat_boardy",
)
CANARY = "canary@example.com"

# ── out ──────────────────────────────────────────────────────────────────────────────────────


def test_the_body_is_the_contracts() -> None:
    """Section 5, byte for byte; the id is the event's digest."""
    assert (
        encode_webhook(EVENT, "plat_luma")
        == (
            b'{"id":"%s","event_type":"user.calendar.disconnected",'
            b'"timestamp":"2025-11-21T15:45:00Z","platform_id":"plat_luma","api_version":"v1",'
            b'"data":{"user_email":"alice@example.com","google_id":"105942374304",'
            b'"disconnected_at":"2025-11-21T15:45:00Z","reason":"user_requested"}}'
        )
        % webhook_event_id("evt_8f14e45fceea").encode()
    )


@pytest.mark.parametrize("provider", [Provider.OFFICE365, Provider.APPLE])
def test_another_provider_is_the_last_key(provider: Provider) -> None:
    """The declared extension; a google_id that is missing is told as null."""
    event = replace(EVENT, provider=provider, user=User("zoë@exämple.com", None))
    told = encode_webhook(event, "plat_cal")
    assert told.endswith(
        '"data":{"user_email":"zoë@exämple.com","google_id":null,'
        '"disconnected_at":"2025-11-21T15:45:00Z",'
        f'"reason":"user_requested","provider":"{provider}"}}}}'.encode()
    )


def model_body(event: DisconnectEvent, platform_id: str) -> bytes:
    """The same webhook, by the wire contract's own model."""
    return WebhookV1(
        id=webhook_event_id(event.id),
        event_type="user.calendar.disconnected",
        timestamp=event.timestamp,
        platform_id=platform_id,
        api_version="v1",
        data=WebhookDataV1(
            user_email=event.user.email,
            google_id=event.user.google_id,
            disconnected_at=event.disconnected_at,
            reason=event.reason.value,
            provider=event.provider.value,
        ),
    ).body()


names = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="@"), min_size=1)
words = st.text("abcXYZ09éßøя漢ñ", min_size=1)
instants = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0))
events = st.builds(
    DisconnectEvent,
    id=names.map(lambda name: name[:128]),
    timestamp=instants,
    user=st.builds(
        User,
        st.tuples(words, words).map(lambda parts: f"{parts[0][:60]}@{parts[1][:60]}"),
        st.none() | names.map(lambda name: name[:128]),
    ),
    provider=st.sampled_from(Provider),
    disconnected_at=instants,
    reason=st.sampled_from(Reason),
)


@settings(max_examples=200, deadline=None, database=None)
@given(events, names.map(lambda name: name[:128]))
def test_the_fast_encoder_says_what_the_model_says(event: DisconnectEvent, platform: str) -> None:
    """It is written out by hand because it runs for each attempt; so it is held to the model."""
    assert encode_webhook(event, platform) == model_body(event, platform)


@settings(max_examples=200, deadline=None, database=None)
@given(events, st.none() | st.lists(names.map(lambda name: name[:128]), min_size=1, max_size=3))
def test_an_event_that_we_publish_is_read_back(
    event: DisconnectEvent, ids: list[str] | None
) -> None:
    """What the outbox publishes in upstream's place is the event that was promised."""
    digits = None if event.user.google_id is None else "105942374304"
    promised = replace(
        event,
        user=replace(event.user, google_id=digits),
        platform_ids=None if ids is None else tuple(ids),
        initiated_by=None if ids is None else ids[0],
    )
    assert decode_event(encode_event(promised), "application/json") == promised


def test_a_promise_of_an_older_rule_ends_among_the_rejected() -> None:
    """It is encoded, so that the relay goes on, and told by name to whoever looks."""
    promised = replace(EVENT, user=User("<alice@example.com>", "1.05942E+11"))
    found = decode_event(encode_event(promised), "application/json")
    assert isinstance(found, Rejection)
    assert found.event_id == EVENT.id
    assert "data.user_email: must be an address alone" in found.detail
    assert "data.google_id: must be digits only" in found.detail


def test_a_letter_is_the_contracts() -> None:
    """The wire model reads it back, and nothing in it names the user."""
    letter = DeadLetter(
        "wh_del_1", "evt_1", "plat_luma", DeadReason.GONE, 1, "gone", 410, AT, AT, 2
    )
    parsed = DeadLetterV1.model_validate_json(encode_letter(letter))
    assert parsed.model_dump() == {
        "delivery_id": "wh_del_1",
        "event_id": "evt_1",
        "platform_id": "plat_luma",
        "reason": "gone",
        "attempts": 1,
        "last_result": "gone",
        "last_status": 410,
        "first_failed_at": "2025-11-21T15:45:00Z",
        "dead_at": "2025-11-21T15:45:00Z",
        "replays": 2,
    }


# ── in ───────────────────────────────────────────────────────────────────────────────────────


def decoded(event: dict[str, Any], content_type: str | None = "application/json") -> Any:
    """What becomes of an event."""
    return decode_event(body(event), content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json; charset=utf-8;",
        "application/json; profile=x; charset=utf-8; version=1",
    ],
)
def test_a_good_event_is_read(content_type: str | None) -> None:
    """With or without a content type or a charset."""
    assert decoded(disconnect("evt_8f14e45fceea"), content_type) == EVENT


def test_instants_are_utc_and_whole_seconds() -> None:
    """Any offset comes in; fractions are cut."""
    event = disconnect(
        "e", timestamp="2025-11-21T16:45:00.999+01:00", disconnected_at="2025-11-21t15:45:00.5z"
    )
    assert (decoded(event).timestamp, decoded(event).disconnected_at) == (AT, AT)
    assert decoded(event).timestamp.tzinfo in (UTC, timezone(timedelta()))


def test_what_may_be_absent_may_be_absent() -> None:
    """An absent google_id is null, and so is an absent caller; provider defaults to google."""
    event = disconnect("e", google_id=None, initiated_by=None)
    found = decoded(event)
    for name in ("google_id", "initiated_by", "provider"):
        del event["data"][name]
        assert decoded(event) == found
    assert (found.user.google_id, found.provider, found.initiated_by) == (
        None,
        Provider.GOOGLE,
        None,
    )
    assert decoded(disconnect("e", platform_ids=["a", "b"])).platform_ids == ("a", "b")


def test_unknown_fields_are_ignored() -> None:
    """On both levels: upstream may grow."""
    event = disconnect("evt_8f14e45fceea")
    assert decoded({**event, "new": 1, "data": {**event["data"], "new": [2]}}) == EVENT


def without(path: str) -> dict[str, Any]:
    """The event without one field."""
    event = disconnect("evt_1", email=CANARY)
    place = event["data"] if path.startswith("data.") else event
    del place[path.removeprefix("data.")]
    return event


def changed(**changes: Any) -> dict[str, Any]:
    """The event with other fields."""
    return disconnect("evt_1", email=changes.pop("user_email", CANARY), **changes)


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        (without("id"), "id: is missing"),
        (without("event_type"), "event_type: is missing"),
        (without("timestamp"), "timestamp: is missing"),
        (without("api_version"), "api_version: is missing"),
        (without("data"), "data: is missing"),
        (without("data.user_email"), "data.user_email: is missing"),
        (without("data.disconnected_at"), "data.disconnected_at: is missing"),
        (without("data.reason"), "data.reason: is missing"),
        (changed(id="e" * 129), "id: must have at most 128 characters"),
        (changed(id=""), "id: must not be empty"),
        (changed(id="a b"), "id: must hold no space, control or invisible character"),
        (changed(id=7), "id: must be a string"),
        (changed(event_type="user.created"), "event_type: must be user.calendar.disconnected"),
        (
            changed(reason="canary_reason"),
            "data.reason: must be one of user_requested, token_expired, revoked",
        ),
        (changed(reason="USER_REQUESTED"), "data.reason: must be one of"),
        (changed(provider="canary"), "data.provider: must be one of google, office365, apple"),
        (changed(google_id=105942374304), "data.google_id: must be a string or null: as a number"),
        (changed(google_id="1.05942E+11"), "data.google_id: must be digits only"),
        (changed(google_id="105942374304.0"), "data.google_id: must be digits only"),
        (changed(google_id=""), "data.google_id: must not be empty"),
        (changed(user_email=f"<{CANARY}>"), "data.user_email: must be an address alone"),
        (changed(user_email=f"{CANARY},"), "data.user_email: must be an address alone"),
        (changed(user_email=f"mailto:{CANARY}"), "data.user_email: must be an address alone"),
        (changed(timestamp="2025-11-21T15:45:00"), "timestamp: must be an RFC 3339 timestamp"),
        (changed(disconnected_at="2025-11-21 15:45"), "data.disconnected_at: must be an RFC 3339"),
        (changed(disconnected_at=1763740000), "data.disconnected_at: must be an RFC 3339"),
        (changed(timestamp="2025-02-30T00:00:00Z"), "timestamp: must be an RFC 3339 timestamp"),
        (changed(user_email="canary"), "data.user_email: must be an address with exactly one @"),
        (changed(user_email="canary@@x"), "data.user_email: must be an address"),
        (changed(user_email=None), "data.user_email: must be a string"),
        (changed(platform_ids=[]), "platform_ids: must not be empty"),
        (changed(platform_ids=None), "platform_ids: must be a list"),
        (changed(platform_ids=["a", 1]), "platform_ids[1]: must be a string"),
        (changed(data=[CANARY]), "data: must be a JSON object"),
    ],
)
def test_a_bad_field_is_named_without_its_value(event: dict[str, Any], detail: str) -> None:
    """The publisher reads which field and what is expected; no address, no word of the input."""
    if event.get("data") == [CANARY]:
        event = {**disconnect("evt_1"), "data": [CANARY]}
    found = decoded(event)
    assert isinstance(found, Rejection)
    assert found.reason is RejectReason.MALFORMED
    assert found.detail.startswith(detail)
    assert "canary" not in found.detail
    assert found.event_id in {"evt_1", None, "e" * 129, ""}


@pytest.mark.parametrize("version", ["v2", "v10", "V1", ""])
def test_another_version_is_its_own_reason(version: str) -> None:
    """Whatever else seems wrong with it: another version may well look different."""
    event = {**without("data.user_email"), "api_version": version}
    assert decoded(event) == Rejection(
        RejectReason.UNSUPPORTED_VERSION, "api_version: only v1 is known", "evt_1"
    )


def test_another_version_of_cloud_events_is_named_by_its_own_field() -> None:
    """Its publisher knows no ``api_version``. Fails before: that was named."""
    found = decode_event(b"{}", "application/json", {"ce-specversion": "0.3", "ce-id": "evt_1"})
    assert found == Rejection(
        RejectReason.UNSUPPORTED_VERSION, "specversion: only CloudEvents 1.x is known", "evt_1"
    )


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "body: is not valid JSON"),
        (b"{", "body: is not valid JSON"),
        (b"[]", "body: must be a JSON object"),
        (b"null", "body: must be a JSON object"),
        (b'"canary"', "body: must be a JSON object"),
        (b'{"id":"canary\xff"}', "body: is not valid JSON"),
        (b"[" * 100_000, "body: is not valid JSON"),
        (b'{"a":' * 100_000, "body: is not valid JSON"),
    ],
    ids=lambda value: None if isinstance(value, str) else repr(value[:12]),
)
def test_what_is_no_json_is_malformed(content: bytes, detail: str) -> None:
    """Not UTF-8, not JSON, not an object, or a nesting that is meant to hurt."""
    found = decode_event(content, "application/json")
    assert isinstance(found, Rejection)
    assert (found.reason, found.event_id) == (RejectReason.MALFORMED, None)
    assert found.detail.startswith(detail)
    assert "canary" not in found.detail


@pytest.mark.parametrize(
    ("content_type", "detail"),
    [
        ("text/plain", "content-type must be application/json"),
        ("application/cloudevents+json", "content-type must be application/json"),
        ("canary", "content-type must be application/json"),
        ("application/json; charset=latin-1", "charset must be utf-8"),
        ("application/json; profile=x; charset=latin-1", "charset must be utf-8"),
    ],
)
def test_another_content_type_is_malformed(content_type: str, detail: str) -> None:
    """Said in words that don't repeat it."""
    found = decoded(disconnect("evt_1"), content_type)
    assert found == Rejection(RejectReason.MALFORMED, detail, None)


@pytest.mark.parametrize("size", [LARGEST_EVENT + 1, 2 * LARGEST_EVENT])
def test_more_than_a_mebibyte_is_too_large(size: int) -> None:
    """Refused unread; one of just 1 MiB is read."""
    event = body(disconnect("evt_8f14e45fceea"))
    found = decode_event(event.ljust(size), "application/json")
    assert found == Rejection(
        RejectReason.TOO_LARGE, f"{size} bytes; at most 1048576 are accepted", None
    )
    assert decode_event(event.ljust(LARGEST_EVENT), "application/json") == EVENT


@pytest.mark.parametrize("name", [CANARY, "a b", "e" * 129, "bell\x07", "zoë"])
def test_an_id_that_could_do_harm_is_not_repeated(name: str) -> None:
    """It ends in log lines and headers, and might be an address."""
    found = decoded({**without("data.reason"), "id": name})
    assert isinstance(found, Rejection)
    assert found.event_id is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(["id", "event_type", "timestamp", "api_version", "data", "platform_ids"])
data_fields = st.sampled_from(
    ["user_email", "google_id", "provider", "disconnected_at", "reason", "initiated_by"]
)
mutants = st.builds(
    lambda top, inner: {
        **disconnect("evt_1"),
        "data": {**disconnect("evt_1")["data"], **inner},
        **top,
    },
    st.dictionaries(fields, json_values, max_size=2),
    st.dictionaries(data_fields, json_values, max_size=2),
).map(lambda event: json.dumps(event).encode())


@settings(max_examples=500, deadline=None, database=None)
@given(st.binary(max_size=200) | mutants, st.none() | st.just("application/json") | st.text())
def test_nothing_raises(content: bytes, content_type: str | None) -> None:
    """Any bytes, and any JSON in any field: an event that can be encoded, or a rejection."""
    match decode_event(content, content_type):
        case DisconnectEvent() as event:
            assert encode_webhook(event, "plat_luma") == model_body(event, "plat_luma")
        case ConnectEvent(platform_id=platform_id):
            assert platform_id
        case Rejection(detail=detail, event_id=name):
            assert detail
            assert name is None or "@" not in name


# ── CloudEvents ──────────────────────────────────────────────────────────────────────────────

CLOUD = {"specversion": "1.0", "type": "user.calendar.disconnected", "source": "urn:upstream"}


def cloud(prefix: str, **attributes: str) -> dict[str, object]:
    return {f"{prefix}{name}": value for name, value in {**CLOUD, **attributes}.items()}


@pytest.mark.parametrize("prefix", ["ce-", "ce_", "cloudEvents:", "cloudEvents_"])
def test_a_cloud_event_is_the_same_event(prefix: str) -> None:
    """In binary mode: attributes in headers, the same data as body."""
    headers = cloud(prefix, id=EVENT.id, time="2025-11-21T15:45:00Z")
    data = json.dumps(disconnect(EVENT.id)["data"]).encode()
    assert decode_event(data, "application/json", headers) == EVENT


def test_a_cloud_events_body_stays_inside_its_envelope() -> None:
    """What is no JSON by itself is malformed, though it would be JSON once it was wrapped."""
    data = json.dumps(disconnect(EVENT.id)["data"]).encode()
    headers = cloud("ce-", id=EVENT.id, time="2025-11-21T15:45:00Z")
    for tail in (b',"id":"evt_other"', b',"api_version":"v1"', b"}", b" 1"):
        found = decode_event(data + tail, "application/json", headers)
        assert isinstance(found, Rejection)
        assert found.reason is RejectReason.MALFORMED


@pytest.mark.parametrize("odd", [Decimal(1), {"a": 1}, [b"x"], "\udcff", bytearray(b"\xff"), None])
def test_an_attribute_of_an_odd_kind_is_the_publishers_fault(odd: object) -> None:
    """AMQP has more kinds of values than JSON: each is an event or a rejection, never a crash."""
    data = json.dumps(disconnect(EVENT.id)["data"]).encode()
    headers = cloud("ce-", time="2025-11-21T15:45:00Z") | {"ce-id": odd}
    found = decode_event(data, "application/json", headers)
    assert isinstance(found, Rejection)
    assert found.reason is RejectReason.MALFORMED


@pytest.mark.parametrize(
    ("headers", "data", "reason", "words"),
    [
        (cloud("ce-", time="2025-11-21T15:45:00Z"), b"{}", RejectReason.MALFORMED, "id"),
        (cloud("ce-", id="evt_1", time="2025-11-21T15:45:00"), None,
         RejectReason.MALFORMED, "offset"),
        (cloud("ce-", id="evt_1", time="2025-11-21T15:45:00Z", type="x"), None,
         RejectReason.MALFORMED, "event_type"),
        (cloud("ce-", id="evt_1", time="2025-11-21T15:45:00Z"), b"{",
         RejectReason.MALFORMED, "JSON"),
        (cloud("ce-", id="evt_1", time="2025-11-21T15:45:00Z", specversion="2.0"), None,
         RejectReason.UNSUPPORTED_VERSION, "CloudEvents"),
    ],
    ids=["no id", "naive time", "another type", "no JSON", "another version"],
)  # fmt: skip
def test_a_wrong_cloud_event_is_rejected_in_plain_words(
    headers: dict[str, object], data: bytes | None, reason: RejectReason, words: str
) -> None:
    """As any other event."""
    body_ = json.dumps(disconnect("evt_1")["data"]).encode() if data is None else data
    found = decode_event(body_, None, headers)
    assert isinstance(found, Rejection)
    assert found.reason is reason
    assert words in found.detail


def test_other_headers_make_no_cloud_event() -> None:
    """A ce- header without a version is somebody's own."""
    assert decode_event(body(disconnect(EVENT.id)), None, {"ce-id": "evt_2"}) == EVENT


# ── connect events ───────────────────────────────────────────────────────────────────────────


def test_a_connect_event_is_parsed_field_by_field() -> None:
    """The same envelope; the instant is cut to its second, the provider is google by default."""
    event = connect("evt_c", "plat_luma", connected_at="2025-11-01T10:30:00.9+01:00")
    assert decode_event(body(event), "application/json") == ConnectEvent(
        id="evt_c",
        timestamp=datetime(2025, 11, 21, 15, 45, tzinfo=UTC),
        user=User("alice@example.com", "105942374304"),
        provider=Provider.GOOGLE,
        connected_at=datetime(2025, 11, 1, 9, 30, tzinfo=UTC),
        platform_id="plat_luma",
    )


def test_a_connect_without_a_google_id_has_none() -> None:
    """Absent means null, as in a disconnect."""
    event = connect("evt_c", "plat_luma")
    del event["data"]["google_id"]
    found = decode_event(body(event), None)
    assert isinstance(found, ConnectEvent)
    assert found.user.google_id is None


def test_a_connect_is_a_cloud_event_too() -> None:
    """In binary mode, by its type."""
    headers = cloud("ce-", id="evt_c", time=EXAMPLE_AT, type="user.calendar.connected")
    data = json.dumps(connect("evt_c", "plat_luma")["data"]).encode()
    assert decode_event(data, None, headers) == decode_event(
        body(connect("evt_c", "plat_luma")), None
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"platform_id": None}, "data.platform_id: must be a string"),
        ({"platform_id": "with space"}, "data.platform_id: must hold no space"),
        ({"connected_at": "2025-11-01T09:30:00"}, "data.connected_at: "),
        ({"google_id": 105942374304}, "data.google_id: must be a string"),
        ({"user_email": "alice"}, "data.user_email: must be an address"),
        ({"provider": "yahoo"}, "data.provider: must be one of"),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
)
def test_a_wrong_connect_is_rejected_in_plain_words(changes: dict[str, Any], words: str) -> None:
    """As strictly as a disconnect; the words never repeat a value."""
    event = connect("evt_c", "plat_luma")
    found = decode_event(body({**event, "data": {**event["data"], **changes}}), None)
    assert isinstance(found, Rejection)
    assert (found.reason, found.event_id) == (RejectReason.MALFORMED, "evt_c")
    assert words in found.detail
    assert "alice" not in found.detail


def test_a_disconnect_that_mentions_connects_is_a_disconnect() -> None:
    """Only the event's own type counts, not a field that nobody knows."""
    event = {**disconnect(EVENT.id), "note": "user.calendar.connected"}
    assert decode_event(body(event), None) == EVENT


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_number_is_malformed(word: str) -> None:
    """Also in a field that nobody knows; as a word in a string it is a word."""
    text = body({**disconnect(EVENT.id), "note": 0}).replace(
        b'"note": 0', f'"note": {word}'.encode()
    )
    found = decode_event(text, None)
    assert isinstance(found, Rejection)
    assert found.reason is RejectReason.MALFORMED
    assert "is not valid JSON" in found.detail
    assert decode_event(body({**disconnect(EVENT.id), "note": word}), None) == EVENT
