"""Timestamps on the wire: every RFC 3339 form that names an instant is read as that instant."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_events.instant import parse_instant

NEW_YEAR = datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2016-12-31T23:59:60Z", NEW_YEAR),
        ("2016-12-31t23:59:60z", NEW_YEAR),
        ("2016-12-31T15:59:60-08:00", NEW_YEAR),
        ("2017-01-01T05:29:60+05:30", NEW_YEAR),
        ("2016-12-31T23:59:60-00:00", NEW_YEAR),
        ("2016-12-31T23:59:60.250Z", NEW_YEAR + timedelta(milliseconds=250)),
        ("2016-12-31T23:59:60.9999999999Z", NEW_YEAR + timedelta(microseconds=999_999)),
        ("2025-11-21T15:45:60Z", datetime(2025, 11, 21, 15, 45, 59, tzinfo=UTC)),
        ("9999-12-31T23:59:60Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_leap_second_is_the_second_before(text: str, instant: datetime) -> None:
    """At any minute, in any offset, with a fraction: an event is not lost to a second too many."""
    assert parse_instant(text) == instant


@pytest.mark.parametrize("digits", [1, 6, 7, 9, 10, 30, 10_000])
def test_a_fraction_has_any_number_of_digits(digits: int) -> None:
    """What is finer than a microsecond is cut, never rounded into the next second."""
    found = parse_instant(f"2025-11-21T15:45:00.{'9' * digits}Z")
    cut = int("9" * min(digits, 6)) * 10 ** (6 - min(digits, 6))
    assert found == datetime(2025, 11, 21, 15, 45, 0, cut, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2016-12-31T23:59:61Z",
        "2016-12-31T23:59:60",
        "2016-12-31T23:60:60Z",
        "2016-12-31T24:00:00Z",
        "2016-12-31T23:59:6Z",
        "2016-02-30T23:59:60Z",
        "0001-01-01T00:00:60+01:00",
        "2016-12-31T23:59:60.Z",
        "2016-12-31 23:59:60Z",
        "2016-12-31T23:59:60+0800",
        "2016-12-31T23:59:60Z\n",
        "",
    ],
)
def test_what_names_no_instant_is_none(text: str) -> None:
    """A second 61, no offset, no calendar day: nothing is guessed."""
    assert parse_instant(text) is None


@given(st.integers(-(10**10), 10**11), st.integers(-1439, 1439))
def test_the_same_instant_in_every_offset(since_1970: int, minutes: int) -> None:
    """Whatever offset it is written with, the instant is one."""
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=since_1970)
    local = (instant + timedelta(minutes=minutes)).isoformat()[:19]
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    assert parse_instant(f"{local}{offset}") == instant
