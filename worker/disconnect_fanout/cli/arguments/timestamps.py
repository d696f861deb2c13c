"""Times on the command line: RFC 3339 with an offset, or how long ago."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from disconnect_fanout.domain.duration import ACCEPTED_FORMS, parse_duration

_LEAP = re.compile(r"([T ]\d\d:\d\d):60(?=[.,Z+-])", re.ASCII)
_EXAMPLE = "2025-11-21T15:45:00Z"


def now() -> datetime:
    """Return this second."""
    return datetime.now(UTC).replace(microsecond=0)


def read_instant(text: str) -> datetime:
    """Return an instant in UTC. A leap second is the second before it, as in an event.

    Raises:
        ValueError: it is no time, or one without an offset.
    """
    try:
        instant = datetime.fromisoformat(_LEAP.sub(r"\1:59", text.strip().upper()))
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is no time") from None
    raise ValueError("has no offset")


def parse_instant(text: str) -> datetime:
    """Return an instant in UTC.

    Raises:
        typer.BadParameter: no time, or one without an offset: it would mean another instant on
            every machine.
    """
    try:
        return read_instant(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} {error}; write it as {_EXAMPLE}") from None


def parse_since(text: str) -> datetime:
    """Return an instant: that long ago, or the one that is written.

    Raises:
        typer.BadParameter: neither a span nor a time with an offset.
    """
    try:
        return datetime.now(UTC) - timedelta(seconds=parse_duration(text))
    except (ValueError, OverflowError):
        pass
    try:
        return parse_instant(text)
    except typer.BadParameter as error:
        raise typer.BadParameter(f"{error.message}, or as a span: {ACCEPTED_FORMS}") from None


AtOption = Annotated[
    datetime | None,
    typer.Option("--at", parser=parse_instant, metavar="TIME", help=f"Such as {_EXAMPLE}."),
]
SinceOption = Annotated[
    datetime | None,
    typer.Option(
        "--since", parser=parse_since, metavar="SPAN|TIME", help=f"From then on: 2h or {_EXAMPLE}."
    ),
]
UntilOption = Annotated[
    datetime | None,
    typer.Option(
        "--until", parser=parse_since, metavar="SPAN|TIME", help=f"Up to then: 2h or {_EXAMPLE}."
    ),
]
