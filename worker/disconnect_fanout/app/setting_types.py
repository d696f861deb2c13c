"""How single settings are read from text. Words of a problem never repeat a secret."""

import re
from collections.abc import Callable
from ipaddress import ip_network
from itertools import pairwise
from typing import Annotated, Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo
from pydantic_settings import NoDecode
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from disconnect_fanout.app.secret_file import UnreadableFile
from disconnect_fanout.domain.duration import parse_duration
from disconnect_fanout.policy.endpoints.address import Network

_LONGEST_S = 366 * 86400.0
_DATABASE_OPTIONS = {"ssl", "host", "port"}  # asyncpg would raise on any other
_RATE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)/s", re.ASCII)
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_:%-]{1,63}(\.[A-Za-z0-9_:%-]{1,63})*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def _seconds(value: Any) -> Any:  # noqa: ANN401 - whatever a caller passes
    return _parsed(value) if isinstance(value, str) else value


def _parsed(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError:
        raise ValueError(f"is {text!r}") from None


def _bounded(seconds: float) -> float:
    if not 0 <= seconds <= _LONGEST_S:
        raise ValueError("is negative or longer than a year")
    return seconds


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise ValueError("is not longer than 0")
    return seconds


def _listed(parse: Callable[[str], object]) -> Callable[[Any], Any]:
    """Return a validator that splits text at commas and parses each part."""

    def split(value: Any) -> Any:  # noqa: ANN401
        if not isinstance(value, str):
            return value
        return tuple(parse(part.strip()) for part in value.split(",") if part.strip())

    return split


def _schedule(waits: tuple[float, ...]) -> tuple[float, ...]:
    if list(waits) != sorted(waits):
        longer, shorter = next(two for two in pairwise(waits) if two[0] > two[1])
        raise ValueError(f"has a wait of {shorter:g}s after one of {longer:g}s")
    return waits


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(f"holds {text!r}, which is no network") from None


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"is {text!r}")
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(f"is {text!r}")
    return text


def _readable(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, UnreadableFile):
        raise ValueError(value.words)  # noqa: TRY004 - pydantic collects ValueErrors
    return value


def _amqp(url: SecretStr) -> SecretStr:
    if not _one_word(url.get_secret_value()):
        raise ValueError("holds a blank or a line end")
    try:
        parts = urlsplit(url.get_secret_value())
        _ = parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in {"amqp", "amqps"} or not parts.hostname:
        raise ValueError("is not the URL of an AMQP broker")
    return url


def _management(url: SecretStr | None) -> SecretStr | None:
    text = "" if url is None else url.get_secret_value()
    if url is None or text == "off":
        return url
    if not _one_word(text):
        raise ValueError("holds a blank or a line end")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not the URL of a management API")
    return url


def _database(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().isprintable():
        raise ValueError("holds a line end or a control character")
    try:
        parsed = make_url(url.get_secret_value())
    except (ArgumentError, ValueError):
        raise ValueError("is not a URL") from None
    if parsed.drivername not in {"sqlite+aiosqlite", "postgresql+asyncpg"}:
        raise ValueError("has another driver")
    if unknown := sorted(set(parsed.query) - _DATABASE_OPTIONS):
        hint = "; asyncpg calls sslmode ssl" if "sslmode" in unknown else ""
        raise ValueError(f"has an option that nothing reads: {', '.join(unknown)}{hint}")
    if parsed.database in {None, "", ":memory:"}:
        raise ValueError("names no database file, and one in memory would forget every receipt")
    return url


def _one_word(text: str) -> bool:
    """Tell whether it is the one line that a secret's file must hold: parsers drop line ends."""
    return text.isprintable() and " " not in text


def _share(count: int, others: ValidationInfo) -> int:
    whole = others.data.get("max_in_flight")
    if whole is not None and count > whole:
        raise ValueError(f"is {count}, which is more than FANOUT_MAX_IN_FLIGHT ({whole})")
    return count


def _rate(value: Any) -> Any:  # noqa: ANN401
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    return float(match[1]) if match else value


def _fernet_key(text: str) -> str:
    try:
        Fernet(text)
    except ValueError:
        raise ValueError("holds something that is no Fernet key") from None
    return text


Duration = Annotated[float, BeforeValidator(_seconds), AfterValidator(_bounded)]
"""Seconds; as text a number with a unit."""
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
RetrySchedule = Annotated[
    tuple[PositiveDuration, ...],
    NoDecode,
    BeforeValidator(_listed(_parsed)),
    AfterValidator(_schedule),
]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_listed(_network))]
Count = Annotated[int, Field(ge=1, le=65535)]
Share = Annotated[Count, AfterValidator(_share)]
"""Of ``max_in_flight``, which is validated before it."""
PerSecond = Annotated[float, BeforeValidator(_rate), Field(ge=0.01, le=100_000)]
Host = Annotated[str, AfterValidator(_host)]
Port = Annotated[int, Field(ge=0, le=65535)]
TopologyName = Annotated[str, AfterValidator(_name)]
AmqpUrl = Annotated[SecretStr, BeforeValidator(_readable), AfterValidator(_amqp)]
ManagementUrl = Annotated[SecretStr | None, BeforeValidator(_readable), AfterValidator(_management)]
DatabaseUrl = Annotated[SecretStr, BeforeValidator(_readable), AfterValidator(_database)]
SecretKeys = Annotated[
    tuple[SecretStr, ...],
    NoDecode,
    BeforeValidator(_listed(_fernet_key)),
    BeforeValidator(_readable),
    Field(min_length=1),
]
