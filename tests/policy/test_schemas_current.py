"""The wire contracts: the models, their exported JSON Schemas, and that both say the same."""

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import BaseModel, ValidationError

from disconnect_events import DisconnectEventV1, example
from disconnect_events import dead_letter as dead_letters
from disconnect_events import event as events
from disconnect_events.export import APIS, CONTRACTS, document, path_of, text_of
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.event import API_VERSION, EVENT_TYPE, Provider, Reason
from disconnect_fanout.domain.identity import delivery_id, webhook_event_id

MISSING = object()


@cache
def schema(name: str) -> Draft202012Validator:
    """The exported schema, as a publisher would load it."""
    return Draft202012Validator(json.loads(path_of(name).read_text("utf-8")))


def changed(name: str, path: str, value: object) -> dict[str, Any]:
    """The example with one field replaced, or taken out."""
    message = deepcopy(CONTRACTS[name][1])
    place: Any = message
    *parents, last = path.split(".")
    for step in parents:
        place = place[step]
    if value is MISSING:
        del place[last]
    else:
        place[last] = value
    return message


def accepted(name: str, message: object) -> bool:
    """Whether the model takes this message, as it does from the wire."""
    model: type[BaseModel] = CONTRACTS[name][0]
    try:
        model.model_validate_json(json.dumps(message))
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_exported_files_are_current(name: str) -> None:
    """Run ``python -m disconnect_events.export`` after each change of a model."""
    assert path_of(name).read_text("utf-8") == document(name)


@pytest.mark.parametrize("path", APIS, ids=lambda path: path.name)
def test_the_exported_apis_are_current(path: Path) -> None:
    """What lies beside the package is what it would write."""
    assert path.read_text("utf-8") == text_of(APIS[path])


@pytest.mark.parametrize("name", CONTRACTS)
def test_each_schema_is_one_and_tells_each_field(name: str) -> None:
    """Draft 2020-12, named by a urn, and each field has a description and an example."""
    text = json.loads(document(name))
    Draft202012Validator.check_schema(text)
    assert text["$id"] == f"urn:disconnect-fanout:schema:{name}:v1"
    for part in [text, *text.get("$defs", {}).values()]:
        assert part["title"]
        assert part["description"]
        for key, field in part["properties"].items():
            assert "$ref" in field or (field["description"] and field["examples"]), key


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_example_is_valid_in_both(name: str) -> None:
    """What the documentation shows is accepted by model and schema, and read back unchanged."""
    model, shown = CONTRACTS[name]
    assert schema(name).is_valid(shown)
    parsed = model.model_validate_json(json.dumps(shown))
    assert json.loads(parsed.model_dump_json()) == shown
    assert "alice" not in repr(parsed)


def test_the_closed_sets_are_those_of_the_domain() -> None:
    """Schemas import nothing of the worker, so this keeps the two from drifting apart."""
    assert get_args(events.Reason) == tuple(Reason)
    assert get_args(events.Provider) == tuple(Provider)
    assert get_args(dead_letters.DeadReason) == tuple(DeadReason)
    assert get_args(events.EventType) == (EVENT_TYPE,)
    assert get_args(events.ApiVersion) == (API_VERSION,)


GOOD = [
    ("id", "a"),
    ("id", "x" * 128),
    ("id", "évt·1/2?#"),
    ("timestamp", "2025-11-21t16:45:00.123456789+01:00"),
    ("timestamp", "2024-02-29T00:00:00-00:00"),
    ("timestamp", "2016-12-31T23:59:60Z"),
    ("timestamp", "2016-12-31t15:59:60.5-08:00"),
    ("timestamp", "2025-11-21T15:45:00.1234567891Z"),
    ("timestamp", f"2025-11-21T15:45:00.{'9' * 400}z"),
    ("platform_ids", ["plat_luma"]),
    ("new_field", {"ignored": True}),
    ("data.new_field", "ignored"),
    ("data.user_email", "alice@localhost"),
    ("data.user_email", "Ünï+tag@exämple.com"),
    ("data.user_email", "a@" + "b" * 318),
    ("data.user_email", "a@b.example."),
    ("data.user_email", "a..b@docomo.ne.jp"),
    ("data.user_email", "a.@docomo.ne.jp"),
    ("data.user_email", "o'hara+x=y/z@corp"),
    ("data.user_email", '"quoted"@a_b.internal'),
    ("data.user_email", "a@[192.0.2.1]"),
    ("data.user_email", "a@[IPv6:2001:db8::1]"),
    ("data.user_email", "山田@例え。jp"),
    ("data.user_email", "a@☕.example"),
    ("data.google_id", None),
    ("data.google_id", MISSING),
    ("data.google_id", "0"),
    ("data.google_id", "9" * 128),
    ("data.provider", MISSING),
    ("data.provider", "office365"),
    ("data.provider", "apple"),
    ("data.reason", "token_expired"),
    ("data.reason", "revoked"),
    ("data.initiated_by", MISSING),
    ("data.initiated_by", None),
    ("data.disconnected_at", "1969-12-31T23:59:59Z"),
]
NO_INSTANT: list[object] = [
    MISSING,
    None,
    1763739900,
    1763739900.5,
    "1763739900",
    "",
    "2025-11-21",
    "2025-11-21T15:45:00",
    "2025-11-21T15:45Z",
    "2025-11-21 15:45:00Z",
    "20251121T154500Z",
    "2025-W47-5T15:45:00Z",
    "2025-11-21T15:45:00+0100",
    "2025-11-21T15:45:00+01",
    "2025-11-21T15:45:00+24:00",
    "2025-11-21T15:45:00+01:60",
    "2025-13-21T15:45:00Z",
    "2025-00-21T15:45:00Z",
    "2025-11-32T15:45:00Z",
    "2025-11-00T15:45:00Z",
    "2025-11-21T24:00:00Z",
    "2025-11-21T15:60:00Z",
    "2025-11-21T15:45:61Z",
    "2025-11-21T15:60:60Z",
    "2016-12-31T23:59:60",
    "2025-11-21T15:45:00.Z",
    "2025-11-21T15:45:00,5Z",
    "2025-11-21T15:45:00Z\n",
    " 2025-11-21T15:45:00Z",
    "٢٠٢٥-11-21T15:45:00Z",
]
NO_NAME: list[object] = [1, True, "", "x" * 129, "a b", "a\n", "a\x00", "\u200ba", "a\u00a0b"]
NO_NAME += ["a\u2028", "\ufeffa", "\x7f", "a\u202e", ["a"], {"a": "b"}]
NO_EMAIL = ["", "@", "a@", "@b", "alice", "a@b@c", "a b@c", "a@c\n", "a@\tc", "a@c\u202e"]
NO_EMAIL += ["<a@b.c>", "a@b.c,", "a@b.c;", '"a@b.c"', "'a@b.c'", "mailto:a@b.c", "a@b.c)", ".a@b"]
NO_EMAIL += ["[a@b.c]", "a@b..c", "a@.b", "a@b.c..", "a@-b", "a@b-", "a(x)@b", "a@b:25", "«a@b»"]
NO_GOOGLE_ID: list[object] = [105942374304, 1.5, True, "", " ", "1 2", "1\n", "x", "1.05942E+11"]
NO_GOOGLE_ID += [
    "105942374304.0",
    "'105942374304",
    "-1",
    "+1",
    "٣",
    "\uff11",
    "0x1",
    "9" * 129,
    ["1"],
]
BAD: dict[str, list[object]] = {
    "id": [MISSING, None, *NO_NAME],
    "event_type": [MISSING, None, "", "user.calendar.connected", 1],
    "timestamp": NO_INSTANT,
    "api_version": [MISSING, None, "", "v2", "V1", "v1 ", 1],
    "data": [MISSING, None, [], {}, "data", 1],
    "platform_ids": [None, [], {}, "a", ["a", None], *([n] for n in NO_NAME)],
    "data.user_email": [MISSING, None, 1, ["a@b"], "a@" + "b" * 319, *NO_EMAIL],
    "data.google_id": [*NO_GOOGLE_ID, *NO_NAME[2:]],
    "data.provider": [None, "", "Google", "outlook", 1],
    "data.disconnected_at": NO_INSTANT,
    "data.reason": [MISSING, None, "", "other", "REVOKED", " revoked", 1, True],
    "data.initiated_by": NO_NAME,
}


def test_what_the_contract_allows_is_accepted_by_both() -> None:
    """Optional fields, other providers, unknown fields and generous ids are no problem."""
    for path, value in GOOD:
        message = changed("event", path, value)
        assert accepted("event", message), path
        assert schema("event").is_valid(message), path


@pytest.mark.parametrize("path", BAD)
def test_what_the_contract_forbids_is_rejected_by_both(path: str) -> None:
    """Nothing is coerced, in the worker or in a publisher's own check with the JSON Schema."""
    for value in BAD[path]:
        message = changed("event", path, value)
        assert not accepted("event", message), value
        assert not schema("event").is_valid(message), value


def test_recipients_are_bounded() -> None:
    """Ten thousand may be named, in both; one more is no event."""
    most = ["plat_luma"] * events.MOST_RECIPIENTS
    assert accepted("event", changed("event", "platform_ids", most))
    assert not accepted("event", changed("event", "platform_ids", [*most, "plat_cal"]))
    exported = json.loads(document("event"))["properties"]["platform_ids"]
    assert exported["maxItems"] == len(most) == 10_000


@pytest.mark.parametrize(
    "text",
    [
        "2025-02-29T00:00:00Z",
        "2025-11-31T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_instants_that_no_calendar_holds_are_rejected(text: str) -> None:
    """The model knows more than a pattern can say, and refuses instead of failing later."""
    assert not accepted("event", changed("event", "data.disconnected_at", text))


@pytest.mark.parametrize("message", [None, 1, "event", [], {}, [example.EVENT]])
def test_only_an_object_is_an_event(message: object) -> None:
    """Anything else is rejected by both."""
    assert not accepted("event", message)
    assert not schema("event").is_valid(message)


FIELDS = ["id", "event_type", "timestamp", "api_version", "data", "platform_ids"]
DATA = ["user_email", "google_id", "provider", "disconnected_at", "reason", "initiated_by"]
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(), scalars, max_size=2)
near = st.sampled_from(["v1", "google", "revoked", "2025-11-21T15:45:00Z", "a@b", "plat_x"])


@given(
    st.sampled_from([*FIELDS, *(f"data.{key}" for key in DATA)]),
    values | near | st.lists(near, max_size=2) | st.text("a@ \n", max_size=4),
)
def test_model_and_schema_agree_on_any_value_anywhere(path: str, value: object) -> None:
    """Whatever stands in one field, both accept it or both reject it."""
    message = changed("event", path, value)
    assert accepted("event", message) is schema("event").is_valid(message)


@pytest.mark.parametrize("value", ["2025-11-21T15:45:00+00:00", "2025-11-21T15:45:00.5Z", 1])
@pytest.mark.parametrize("path", ["timestamp", "data.disconnected_at"])
def test_a_webhook_tells_whole_seconds_in_utc(path: str, value: object) -> None:
    """Fractions and offsets are never seen by a receiver."""
    message = changed("webhook", path, value)
    assert not accepted("webhook", message)
    assert not schema("webhook").is_valid(message)


MISTAKES: list[tuple[str, str, object]] = [
    ("webhook", "id", "evt_1"),
    ("webhook", "event_type", MISSING),
    ("webhook", "api_version", MISSING),
    ("webhook", "platform_id", ""),
    ("webhook", "data.google_id", MISSING),
    ("webhook", "data.provider", "outlook"),
    ("dead_letter", "delivery_id", "wh_1"),
    ("dead_letter", "reason", "bored"),
    ("dead_letter", "attempts", -1),
    ("dead_letter", "attempts", "1"),
    ("dead_letter", "replays", -1),
    ("dead_letter", "last_status", 99),
    ("dead_letter", "last_status", MISSING),
    ("dead_letter", "dead_at", None),
]


def test_what_we_send_is_held_to_its_contract() -> None:
    """Model and schema of our own messages reject the same mistakes."""
    for name, path, value in MISTAKES:
        message = changed(name, path, value)
        assert not accepted(name, message), (path, value)
        assert not schema(name).is_valid(message), (path, value)


def test_computed_names_fit_the_contracts() -> None:
    """The names that the domain computes are names that the wire contracts take."""
    assert accepted("webhook", {**example.WEBHOOK, "id": webhook_event_id("e")})
    assert accepted("dead_letter", {**example.DEAD_LETTER, "delivery_id": delivery_id("e", "p")})


def test_an_event_that_python_builds_is_one_that_the_wire_accepts() -> None:
    """Upstream may build the model and publish its JSON: what it leaves out stays out."""
    event = DisconnectEventV1.model_validate(example.EVENT)
    assert event.platform_ids == []
    assert accepted("event", json.loads(event.model_dump_json()))
    assert "platform_ids" not in event.model_dump_json()
