"""What the columns of a link mean, whoever wrote them: the owner's SQL knows its own conventions.

What can mean one thing only is read as that, because a platform that is not notified is the worst
that can happen (decision 0027): ``Google`` is google, an instant in milliseconds is that instant,
an empty provider is none. What can mean several things is refused, and its row is set aside. The
schema refuses new rows of either kind.
"""

from datetime import datetime

from disconnect_events.identifier import is_identifier
from disconnect_events.instant import parse_instant
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.instant import from_s

EARLIEST_S = -62_135_596_800  # the year 1
LATEST_S = 253_402_300_799  # the year 9999; as milliseconds, a day in 1978
_THOUSANDS = 4  # seconds, milliseconds, microseconds, nanoseconds


def provider_of(value: object) -> Provider | None:
    """Return whose calendar it is, None for any.

    Raises:
        UnreadableRow: it is none that is known.
    """
    text = str(value or "").strip().lower()
    try:
        return Provider(text) if text else None
    except ValueError:
        known = ", ".join(Provider)
        raise UnreadableRow(f"provider: is none of {known}, nor NULL for all of them") from None


def instant_of(column: str, value: object) -> datetime:
    """Return the instant of a column that should hold whole seconds.

    Raises:
        UnreadableRow: no calendar holds it.
    """
    if isinstance(value, str) and (written := parse_instant(value.strip())) is not None:
        return written.replace(microsecond=0)
    number = _whole(value)
    for _ in range(_THOUSANDS):
        if number is None or number <= LATEST_S:
            break
        number //= 1000
    if number is None or not EARLIEST_S <= number <= LATEST_S:
        raise UnreadableRow(f"{column}: is no instant in whole seconds since 1970")
    return from_s(number)


def platform_of(value: object) -> str:
    """Return the platform's id.

    Raises:
        UnreadableRow: no platform can have it.
    """
    text = str(value).strip()
    if not is_identifier(text):
        raise UnreadableRow("platform_id: is no id of a platform")
    return text


def _whole(value: object) -> int | None:
    """SQLite stores whatever it is given, in any column."""
    try:
        return int(float(value)) if isinstance(value, float | str) else int(value)  # type: ignore[call-overload]
    except (ValueError, TypeError, OverflowError):
        return None
