"""Instants: RFC 3339 with an offset on the wire, aware UTC datetimes in Python."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

RFC_3339 = (
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    "[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?"
    "([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
WHOLE_SECOND_UTC = (
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"
)
_RFC_3339 = re.compile(RFC_3339)
_WHOLE_SECOND_UTC = re.compile(WHOLE_SECOND_UTC)


def _instant(value: object) -> datetime:
    """Parse; an aware datetime, which only Python code can pass, is taken as it is.

    What the pattern lets through and no calendar holds (30 February, the year 0) is refused too.
    """
    try:
        if isinstance(value, str) and _RFC_3339.fullmatch(value):
            value = datetime.fromisoformat(value.upper())
        if isinstance(value, datetime) and value.utcoffset() is not None:
            return value.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise PydanticCustomError(
        "instant", "must be an RFC 3339 timestamp with an offset, such as 2025-11-21T15:45:00Z"
    )


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
