"""Instants: RFC 3339 with an offset on the wire, aware UTC datetimes in Python."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_DATE = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_HOUR_AND_MINUTE = "([01][0-9]|2[0-3]):[0-5][0-9]"
RFC_3339 = (
    f"^{_DATE}[Tt]{_HOUR_AND_MINUTE}:([0-5][0-9]|60)([.][0-9]+)?([Zz]|[+-]{_HOUR_AND_MINUTE})$"
)
WHOLE_SECOND_UTC = f"^{_DATE}T{_HOUR_AND_MINUTE}:[0-5][0-9]Z$"

_RFC_3339 = re.compile(RFC_3339)
_WHOLE_SECOND_UTC = re.compile(WHOLE_SECOND_UTC)
_SECOND = slice(17, 19)


def parse_instant(text: str) -> datetime | None:
    """Return the instant that an RFC 3339 timestamp names, in UTC; None if it is none.

    A leap second is the second before it, wherever one is written: a clock may smear it, and the
    calendar of Python has none. Digits of a fraction beyond microseconds are cut. What the pattern
    lets through and no calendar holds (30 February, the year 0) is none either.
    """
    if not _RFC_3339.fullmatch(text):
        return None
    if text[_SECOND] == "60":
        text = f"{text[: _SECOND.start]}59{text[_SECOND.stop :]}"
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _instant(value: object) -> datetime:
    """Parse; an aware datetime, which only Python code can pass, is taken as it is."""
    found = parse_instant(value) if isinstance(value, str) else None
    try:
        if isinstance(value, datetime) and value.utcoffset() is not None:
            found = value.astimezone(UTC)
    except OverflowError:
        pass
    if found is None:
        raise PydanticCustomError(
            "instant", "must be an RFC 3339 timestamp with an offset, such as 2025-11-21T15:45:00Z"
        )
    return found


def _whole_second(value: object) -> datetime:
    if isinstance(value, str) and not _WHOLE_SECOND_UTC.fullmatch(value):
        raise PydanticCustomError(
            "whole_second", "must be in UTC and whole seconds, such as 2025-11-21T15:45:00Z"
        )
    return _instant(value).replace(microsecond=0)


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


Instant = Annotated[
    datetime,
    PlainValidator(_instant),
    PlainSerializer(_text),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "pattern": RFC_3339, "not": {"pattern": "\\s"}}
    ),
]
"""Any offset comes in, UTC comes out. A number or a time without an offset is refused."""

WholeSecond = Annotated[
    datetime,
    PlainValidator(_whole_second),
    PlainSerializer(_text),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "maxLength": 20, "pattern": WHOLE_SECOND_UTC}
    ),
]
"""As webhooks tell it: UTC with ``Z``; fractions of a datetime are cut."""
