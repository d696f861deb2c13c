"""``Retry-After``: how long a platform asks us to wait (RFC 9110, section 10.2.3)."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT_S = 24 * 3600.0
"""A platform may lengthen a wait, but never beyond a day: an absurd header must not bury a duty."""


def retry_after_seconds(header: str | None, now: datetime) -> float:
    """Return the seconds to wait at least: 0 for no header, a past date or one that is unreadable.

    Args:
        header: seconds as digits, or an HTTP date.
        now: the instant of the answer, with an offset.
    """
    if header is None:
        return 0.0
    text = header.strip()
    if text.isascii() and text.isdigit():
        # Longer than ten digits is absurd whatever it says, and int() refuses thousands of them.
        return LONGEST_WAIT_S if len(text) > 10 else min(float(text), LONGEST_WAIT_S)  # noqa: PLR2004
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return 0.0
    if until.tzinfo is None:  # "-0000" says UTC without saying it
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT_S)
