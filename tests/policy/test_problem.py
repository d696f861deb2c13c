"""What is wrong with a message, in plain words, without a word of the message."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from disconnect_events import (
    DeadLetterV1,
    DisconnectEventV1,
    WebhookV1,
    describe_problem,
    example,
    is_unsupported_version,
)


def error(raw: str | bytes) -> ValidationError:
    """The error that this message raises."""
    with pytest.raises(ValidationError) as caught:
        DisconnectEventV1.model_validate_json(raw)
    return caught.value


def event(**fields: object) -> str:
    """The example with some fields replaced, or some fields in its data."""
    message: dict[str, Any] = deepcopy(example.EVENT)
    data = fields.get("data")
    if isinstance(data, dict):
        fields["data"] = message["data"] | data
    return json.dumps(message | fields)


NO_NUMBER = "must be a string or null: as a number it loses digits (real ids exceed 2^53)"
ALONE = "must be an address alone, such as alice@example.com, with nothing around it"
TOO_LONG = "must have at most 320 characters, those of its domain counted in ASCII (xn--)"
WORDS: list[tuple[str | bytes, str]] = [
    (
        event(data={"reason": "other"}),
        "data.reason: must be one of user_requested, token_expired, revoked",
    ),
    (
        event(data={"provider": "x"}),
        "data.provider: must be one of google, office365, apple",
    ),
    (
        event(data={"google_id": 7}),
        f"data.google_id: {NO_NUMBER}",
    ),
    (
        event(data={"google_id": "1.05942E+11"}),
        "data.google_id: must be digits only, such as 105942374304",
    ),
    (event(data={"google_id": ""}), "data.google_id: must not be empty"),
    (event(data={"google_id": "9" * 129}), "data.google_id: must have at most 128 characters"),
    (
        event(data={"user_email": "<alice@example.org>"}),
        f"data.user_email: {ALONE}",
    ),
    (
        event(data={"user_email": f"a@{'ü' * 160}.{'é' * 150}"}),
        f"data.user_email: {TOO_LONG}",
    ),
    (
        event(data={"user_email": "alice"}),
        "data.user_email: must be an address with exactly one @",
    ),
    (
        event(data={"user_email": "a@b" * 200}),
        "data.user_email: must have at most 320 characters",
    ),
    (
        event(timestamp="2025-11-21T15:45:00"),
        "timestamp: must be an RFC 3339 timestamp with an offset, such as 2025-11-21T15:45:00Z",
    ),
    (
        event(timestamp="2025-02-29T15:45:00Z"),
        "timestamp: must be an RFC 3339 timestamp with an offset, such as 2025-11-21T15:45:00Z",
    ),
    (event(id=""), "id: must not be empty"),
    (event(id="x" * 129), "id: must have at most 128 characters"),
    (event(id="a b"), "id: must hold no space, control or invisible character"),
    (event(api_version="v2"), "api_version: must be v1"),
    (event(event_type="x"), "event_type: must be user.calendar.disconnected"),
    (event(platform_ids=[]), "platform_ids: must not be empty"),
    (event(platform_ids=["a", 1, 2]), "platform_ids[1]: must be a string"),
    (event(platform_ids="a"), "platform_ids: must be a list"),
    (
        event(platform_ids=["a"] * 10_001),
        "platform_ids: must have at most 10000 entries",
    ),
    ("[]", "body: must be a JSON object"),
    (event(data=None), "data: must be a JSON object"),
    (
        json.dumps({"id": "evt_1", "api_version": "v1", "timestamp": "2025-11-21T15:45:00Z"}),
        "event_type: is missing; data: is missing",
    ),
    ("{", "body: is not valid JSON (EOF while parsing an object at line 1 column 1)"),
    (b"\xff", "body: is not valid JSON (expected value at line 1 column 1)"),
    (
        event(id=1, data={"google_id": 1}),
        f"id: must be a string; data.google_id: {NO_NUMBER}",
    ),
]


def test_each_problem_has_its_words() -> None:
    """Where it is, what is expected; several problems are joined."""
    for raw, words in WORDS:
        assert describe_problem(error(raw)) == words


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("attempts", -1, "must be at least 0"),
        ("attempts", "1", "must be a whole number"),
        ("last_status", 1000, "must be at most 999"),
        ("delivery_id", "x", "must match ^wh_del_[0-9a-z_]+$"),
        (
            "reason",
            7,
            "must be one of exhausted, gone, blocked, endpoint_disabled, unknown_platform, expired",
        ),
    ],
)
def test_our_own_messages_have_words_too(field: str, value: object, words: str) -> None:
    """Numbers and patterns are told by their limits."""
    with pytest.raises(ValidationError) as caught:
        DeadLetterV1.model_validate({**example.DEAD_LETTER, field: value})
    assert describe_problem(caught.value) == f"{field}: {words}"


def test_a_webhooks_instants_have_words_of_their_own() -> None:
    """What a receiver never sees, an offset or a fraction, is said to be wrong."""
    with pytest.raises(ValidationError) as caught:
        WebhookV1.model_validate({**example.WEBHOOK, "timestamp": "2025-11-21T15:45:00.5Z"})
    words = "timestamp: must be in UTC and whole seconds, such as 2025-11-21T15:45:00Z"
    assert describe_problem(caught.value) == words


def test_the_line_is_bounded() -> None:
    """At most 500 characters, and a cut one says so."""
    data = {"user_email": 1, "google_id": 1, "provider": 1, "reason": 1, "disconnected_at": 1}
    raw = event(id=1, event_type=1, timestamp=1, api_version=1, platform_ids=1, data=data)
    words = describe_problem(error(raw))
    assert len(words) == 500
    assert words.endswith("…")


CANARY = "zq7canary"
fields = st.sampled_from([*example.EVENT, "platform_ids"])
data_fields = st.sampled_from(
    ["user_email", "google_id", "provider", "disconnected_at", "reason", "initiated_by"]
)
leaks = st.one_of(
    st.text("@ \n.", max_size=4).map(lambda text: f"{CANARY}{text}{CANARY}"),
    st.just([CANARY, f"{CANARY} "]),
    st.just({CANARY: CANARY}),
    st.just({"user_email": f"{CANARY}@x", CANARY: 1}),
)


@given(fields, leaks, data_fields, leaks)
def test_no_word_of_the_message_is_repeated(
    field: str, value: object, data_field: str, data_value: object
) -> None:
    """Neither a value nor the name of an unknown field gets into the words, or into str(error)."""
    message: dict[str, Any] = deepcopy(example.EVENT)
    message["data"] |= {data_field: data_value, CANARY: 1, "reason": CANARY}
    message |= {field: value, CANARY: 1}
    for raw in (json.dumps(message), json.dumps(message)[:-1]):
        caught = error(raw)
        assert CANARY not in describe_problem(caught)
        assert CANARY not in str(caught)


@pytest.mark.parametrize("version", ["v2", "v0", "", "V1"])
def test_another_version_is_told_apart(version: str) -> None:
    """It is an unsupported version, even if the rest does not look like v1 at all."""
    assert is_unsupported_version(error(event(api_version=version)))
    assert is_unsupported_version(error(json.dumps({"api_version": version})))


@pytest.mark.parametrize(
    "raw", ["{}", "[]", "{", event(api_version=1), event(api_version=None), event(id="")]
)
def test_a_malformed_event_is_not_another_version(raw: str) -> None:
    """No version, or one that is no string, is malformed."""
    assert not is_unsupported_version(error(raw))
