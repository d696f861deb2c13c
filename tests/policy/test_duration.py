"""Spans of time as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.domain.duration import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("250ms", 0.25),
        ("5s", 5),
        ("1.5s", 1.5),
        ("30m", 1800),
        ("2h", 7200),
        ("24h", 86_400),
        ("7d", 604_800),
        (" 5s ", 5),
    ],
)
def test_a_number_with_a_unit_is_read(text: str, seconds: float) -> None:
    """Each unit has its length."""
    assert parse_duration(text) == pytest.approx(seconds)


NO_SPANS = ["", "5", "s", "5 s", "-5s", "+5s", "5S", "5sec", "1h30m", "1e3s", ".5s", "5.s", "infs"]
# Digits of another script, a second line, and numbers so long that they would be infinite.
NO_SPANS += ["٣s", "5s\n5s", "9" * 400 + "s", "0." + "9" * 400 + "s"]


def test_anything_else_is_refused_with_the_accepted_forms() -> None:
    """The error names what would be right; nothing is guessed."""
    for text in NO_SPANS:
        with pytest.raises(ValueError, match="expected a number with a unit: 250ms, 5s"):
            parse_duration(text)


SPANS = [
    (0, "0ms"),
    (0.25, "250ms"),
    (0.999, "999ms"),
    (0.9999, "1s"),
    (1, "1s"),
    (45, "45s"),
    (59.6, "1m"),
    (60, "1m"),
    (90, "1m 30s"),
    (300, "5m"),
    (9000, "2h 30m"),
    (86_399, "23h 59m"),
    (86_400, "1d"),
    (90_061, "1d 1h"),
    (604_800, "7d"),
]


def test_a_span_is_written_in_at_most_two_units() -> None:
    """Short enough to read at a glance."""
    assert [(seconds, format_duration(seconds)) for seconds, _ in SPANS] == SPANS


@given(st.integers(1, 999), st.sampled_from(["s", "m", "h", "d"]))
def test_what_was_written_in_one_unit_reads_back(number: int, unit: str) -> None:
    """The parts of a written span add up to it, if it needs no more than two of them."""
    seconds = parse_duration(f"{number}{unit}")
    parts = format_duration(seconds).split(" ")
    total = sum(parse_duration(part) for part in parts)
    assert total == seconds
