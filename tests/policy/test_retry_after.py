"""How long a platform asks us to wait."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
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
    ("00000000000000000005", 5),
    ("\t7\t", 7),
    # decimals are rounded up
    ("3.997", 4),
    ("0.2", 1),
    ("1.5", 2),
    ("2.0", 2),
    ("2.000000000000000000001", 3),
    ("0.0", 0),
    ("5.", 5),
    (".5", 1),
    ("007.25", 8),
    ("86399.5", 86_400),
    ("86400.5", 86_400),
    ("9" * 10_000 + ".5", 86_400),
    ("0." + "0" * 10_000 + "1", 1),
    # neither seconds nor a date
    ("-5", 0),
    ("-0.5", 0),
    ("+5", 0),
    (".", 0),
    ("1.2.3", 0),
    ("3,997", 0),
    ("1e3", 0),
    ("0x10", 0),
    ("1_000", 0),
    ("1 000", 0),
    ("inf", 0),
    ("nan", 0),
    ("٣", 0),
    ("\uff13", 0),
    ("3.\u0665", 0),
    ("²", 0),
    ("\xa05", 0),
    ("5\x00", 0),
    ("5\n", 0),
    ("5s", 0),
    ("5 seconds", 0),
    ("120, 60", 0),
    ('"5"', 0),
    # dates: the three forms of RFC 9110, and what mailers write
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
    ("Fri Nov  7 15:46:00 2025", 0),
    ("Sun Nov 30 15:46:00 2025", 86_400),
    ("Sunday, 06-Nov-94 08:49:37 GMT", 0),
    ("  Fri, 21 Nov 2025 15:46:00 GMT  ", 60),
    ("Fri, 21 Nov 2025", 0),
    ("21 Nov 2025", 0),
    ("21 Nov 2025 15:46:00 GMT", 0),
    ("Fri, 21 Nov 2025 25:46:00 GMT", 0),
    ("2025-11-21T15:46:00Z", 0),
    ("1763740000", 86_400),
    ("soon", 0),
]


def test_both_forms_and_what_is_neither() -> None:
    """Digits are seconds, an HTTP date is an instant, anything else asks for nothing."""
    assert [(header, retry_after_seconds(header, NOW)) for header, _ in HEADERS] == HEADERS


@given(st.decimals(0, 200_000, allow_nan=False, allow_infinity=False))
def test_decimals_are_rounded_up(seconds: Decimal) -> None:
    """Never less than was asked for, and less than a second more."""
    waited = retry_after_seconds(f"{seconds:f}", NOW)
    assert waited == min(math.ceil(seconds), LONGEST_WAIT_S)


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
