"""The options that describe a platform, and what they may be."""

import re
from pathlib import Path
from typing import Annotated

import typer

from disconnect_fanout.adapters.http.trust import BadAuthority, tls_context
from disconnect_fanout.app.settings import Settings
from disconnect_fanout.app.small_file import Unreadable, read_small
from disconnect_fanout.cli.usage_error import UsageError
from disconnect_fanout.domain.duration import format_duration, parse_duration
from disconnect_fanout.domain.platform import UNREGISTERED
from disconnect_fanout.policy.endpoints.url import endpoint_problem

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_RATE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)/(s|m|h)", re.ASCII)
_PER = {"s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_NAME = 128
_SLOWEST, _FASTEST = 1 / 3600, 10_000.0
_LONGEST_S = 366 * 86400.0
_MOST_IN_FLIGHT = 65535


def parse_id(text: str) -> str:
    """Return a platform id that may be registered."""
    if not _ID.fullmatch(text):
        raise typer.BadParameter(
            "a platform id has 1 to 64 letters, digits, '_', '.' or '-' and starts with a letter "
            "or digit"
        )
    if text == UNREGISTERED:
        raise typer.BadParameter(f"{text!r} is what metrics call platforms that nobody registered")
    return text


def parse_name(text: str) -> str:
    """Return a name without control characters."""
    if not text.strip() or len(text) > _LONGEST_NAME or not text.isprintable():
        raise typer.BadParameter(f"a name has 1 to {_LONGEST_NAME} printable characters")
    return text.strip()


def parse_rate(text: str) -> float:
    """Return requests a second."""
    match = _RATE.fullmatch(text.strip())
    rate = 0.0 if match is None else float(match[1]) / _PER[match[2]]
    if match is None or not _SLOWEST <= rate <= _FASTEST:
        raise typer.BadParameter(
            f"{text!r} is no rate; write it as 50/s, 10/m or 100/h, from 1/h to 10000/s"
        )
    return rate


def parse_span(text: str) -> float:
    """Return seconds, at most a year."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if seconds > _LONGEST_S:
        raise typer.BadParameter(f"{text!r} is longer than a year")
    return seconds


def check_endpoint(url: str | None, timeout_s: float | None, settings: Settings) -> None:
    """Refuse a URL that may not be registered and a time-out above the worker's.

    Raises:
        UsageError: with what is wrong.
    """
    if url is not None:
        problem = endpoint_problem(url, allow_http=settings.allow_http)
        if problem is not None:
            raise UsageError(f"--url {problem}")
    if timeout_s is not None and not 0 < timeout_s <= settings.timeout:
        most = format_duration(settings.timeout)
        raise UsageError(f"--timeout: expected more than 0 and at most FANOUT_TIMEOUT ({most})")


def read_authority(path: str | None) -> str | None:
    """Return the PEM in a file.

    Raises:
        UsageError: it can't be read, or holds no certificate.
    """
    if path is None:
        return None
    try:
        pem = read_small(Path(path), encoding="ascii")
        tls_context(pem)
    except Unreadable as error:
        raise UsageError(f"--ca-file {path}: {error}") from None
    except BadAuthority as error:
        raise UsageError(f"--ca-file {path} {error}") from None
    return pem


IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The platform's id.")]
UrlOption = Annotated[str, typer.Option("--url", help="Where webhooks are posted to.")]
NameOption = Annotated[str, typer.Option("--name", parser=parse_name, metavar="TEXT")]
TimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--timeout", parser=parse_span, metavar="SPAN", help="For a whole exchange, such as 10s."
    ),
]
CapOption = Annotated[
    int | None,
    typer.Option(
        "--max-in-flight", min=1, max=_MOST_IN_FLIGHT, help="Requests at once from one worker."
    ),
]
AuthorityOption = Annotated[
    str | None,
    typer.Option(
        "--ca-file",
        metavar="FILE",
        help="PEM of the only certificate authority to trust for this platform.",
    ),
]
RateOption = Annotated[
    float | None,
    typer.Option("--rate", parser=parse_rate, metavar="RATE", help="Such as 50/s, per worker."),
]
