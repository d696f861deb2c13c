# ruff: noqa: RUF001 - digits that look like others are what is tested
"""What is a Google id: digits, as a text; what a spreadsheet made of one is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from disconnect_events.google_id import GoogleId, is_google_id
from disconnect_fanout.domain.google_id import is_google_id as in_the_domain

GOOGLE_ID: TypeAdapter[str] = TypeAdapter(GoogleId)


def accepted(value: object) -> bool:
    """Whether an event may hold this value."""
    try:
        return GOOGLE_ID.validate_python(value) == value
    except ValidationError:
        return False


@pytest.mark.parametrize("value", ["0", "007", "105942374304", "1" * 21, "9" * 128])
def test_digits_are_one(value: str) -> None:
    """Up to 128, more than any number holds; nothing is trimmed or converted."""
    assert accepted(value)
    assert is_google_id(value)


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "1.05942E+11", "105942374304.0", "'105942374304", "=\"105942374304\"", "1,059",
        "1 059", " 105942374304", "105942374304 ", "105942374304\n", "-1", "+1", "0x19", "1_0",
        "٣٤", "１２", "²", "null", "None", "alice@example.com", "people/105942374304", "9" * 129,
    ],
)  # fmt: skip
def test_anything_else_is_none(value: str) -> None:
    """Signs, points, exponents, spaces, digits of other scripts, names."""
    assert not accepted(value)
    assert not is_google_id(value)


@pytest.mark.parametrize("value", [105942374304, 0, 1.5, True, None, ["1"], {"id": "1"}, b"1"])
def test_only_a_text_is_one(value: object) -> None:
    """A number has lost its last digits before anybody could look at it."""
    assert not accepted(value)


@given(st.text())
def test_both_say_the_same(text: str) -> None:
    """The rule that others can ask and the one for events are one."""
    assert accepted(text) is is_google_id(text)


@given(st.text() | st.from_regex("[0-9]+", fullmatch=True))
def test_the_worker_s_own_rule_is_the_same(text: str) -> None:
    """It is written twice, because neither side may import the other."""
    assert in_the_domain(text) is is_google_id(text)
