"""Instants as the tables hold them: whole milliseconds since 1970 in UTC."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def to_ms(instant: datetime) -> int:
    """Return whole milliseconds, exactly: a float of today's seconds has no room for them all."""
    return (instant - _EPOCH) // _MS


def to_s(instant: datetime) -> int:
    """Return whole seconds, cut."""
    return to_ms(instant) // 1000


def from_ms(ms: int) -> datetime:
    """Return the instant; one that no calendar holds is the last or the first that there is.

    One row of a foreign hand must not take a whole list with it.
    """
    try:
        return _EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        return _LAST if ms > 0 else _FIRST


def from_s(seconds: int) -> datetime:
    """Return the instant; likewise."""
    return from_ms(seconds * 1000)


def span_ms(seconds: float) -> int:
    """Return a length of time in whole milliseconds."""
    return round(seconds * 1000)


def maybe_from_ms(ms: int | None) -> datetime | None:
    """Return the instant, or None where there is none."""
    return None if ms is None else from_ms(ms)


def maybe_from_s(seconds: int | None) -> datetime | None:
    """Return the instant, or None where there is none."""
    return None if seconds is None else from_s(seconds)
