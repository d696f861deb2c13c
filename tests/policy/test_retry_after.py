"""How long a platform asks us to wait."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from hypothesis import given
from hypothesis import strategies as st

from disconnect_fanout.policy.retry_after import LONGEST_WAIT_S, retry_after_seconds

NOW = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)


def test_the_longest_wait_is_a_day() -> None:
    """The contract caps Retry-After at 24 hours."""
    assert LONGEST_WAIT_S == 86_400


HEADERS = [
    (None, 0),
    ("", 0),
    ("   ", 0),
    ("0", 0),
    ("1", 1),
    (" 120 ", 120),
    ("86399", 86_399),
    ("86400", 86_400),
    ("86401", 86_400),
    ("9999999999", 86_400),
    ("0000000005", 5),
    ("99999999999", 86_400),
    ("9" * 10_000, 86_400),
    ("-5", 0),
    ("+5", 0),
    ("1.5", 0),
    ("٣", 0),
    ("²", 0),
    ("5 seconds", 0),
    ("120, 60", 0),
    ("Fri, 21 Nov 2025 15:46:00 GMT", 60),
    ("Friday, 21-Nov-25 15:46:00 GMT", 60),
    ("Fri Nov 21 15:46:00 2025", 60),
    ("Fri, 21 Nov 2025 15:46:00 -0000", 60),
    ("Fri, 21 Nov 2025 16:46:00 +0100", 60),
    ("Fri, 21 Nov 2025 15:45:00 GMT", 0),
    ("Fri, 21 Nov 2025 15:44:59 GMT", 0),
    ("Sat, 22 Nov 2025 15:44:59 GMT", 86_399),
    ("Sat, 22 Nov 2025 15:45:01 GMT", 86_400),
    ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
    ("Fri, 31 Feb 2025 00:00:00 GMT", 0),
    ("2025-11-21T15:46:00Z", 0),
    ("soon", 0),
]


def test_both_forms_and_what_is_neither() -> None:
    """Digits are seconds, an HTTP date is an instant, anything else asks for nothing."""
    assert [(header, retry_after_seconds(header, NOW)) for header, _ in HEADERS] == HEADERS


@given(st.text(max_size=40) | st.text("0123456789 ,:-+.GMTNovFri", max_size=40))
def test_no_header_breaks_it(header: str) -> None:
    """Whatever a platform writes, the answer is between nothing and a day."""
    assert 0 <= retry_after_seconds(header, NOW) <= LONGEST_WAIT_S


@given(st.integers(-90_000, 90_000))
def test_a_date_and_the_same_number_of_seconds_agree(seconds: int) -> None:
    """The date form says the same as the number form, in any zone of our own clock."""
    header = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    expected = retry_after_seconds(str(seconds), NOW)
    assert retry_after_seconds(header, NOW) == expected
