"""``Retry-After``: how long a platform asks us to wait (RFC 9110, section 10.2.3)."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT_S = 24 * 3600.0
"""A platform may lengthen a wait, but never beyond a day: an absurd header must not bury a duty."""
_DIGITS_OF_THAT = 5
_BLANKS = " \t"  # what HTTP calls white space; a no-break space is part of a value
_SECONDS = re.compile(r"(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]*))?")
_DATE = re.compile(r"[A-Za-z]{3,9},? [ -~]{0,30}[0-9]{2}:[0-9]{2}:[0-9]{2}[ -~]{0,30}")


def retry_after_seconds(header: str | None, now: datetime) -> float:
    """Return the seconds to wait at least: 0 for no header, a past date or one that is unreadable.

    Args:
        header: seconds, of which decimals are rounded up, or an HTTP date.
        now: the instant of the answer, with an offset.
    """
    text = (header or "").strip(_BLANKS)
    if (seconds := _SECONDS.fullmatch(text)) is not None:
        return _whole_seconds(seconds["whole"], seconds["part"] or "")
    return _seconds_until(text, now) if _DATE.fullmatch(text) else 0.0


def _whole_seconds(whole: str, part: str) -> float:
    """Round up; int() refuses thousands of digits, and so many are more than a day anyway."""
    digits = whole.lstrip("0")
    if len(digits) > _DIGITS_OF_THAT:
        return LONGEST_WAIT_S
    return min(float(digits or 0) + bool(part.strip("0")), LONGEST_WAIT_S)


def _seconds_until(date: str, now: datetime) -> float:
    try:
        until = parsedate_to_datetime(date)
    except (ValueError, IndexError, OverflowError):
        return 0.0
    if until.tzinfo is None:  # "-0000" says UTC without saying it
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT_S)
