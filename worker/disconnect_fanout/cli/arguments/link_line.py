"""One line of an import file becomes one link. A problem never repeats an address."""

from collections.abc import Mapping
from datetime import UTC, datetime

from disconnect_fanout.cli.arguments.import_line import shown
from disconnect_fanout.cli.arguments.line_field import google_id_of, named, optional_text
from disconnect_fanout.cli.arguments.person import valid_email, valid_identifier
from disconnect_fanout.cli.arguments.timestamps import read_instant
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.mailbox import mailbox

FIELDS = ("email", "google_id", "provider", "platform_id", "linked_at", "unlinked_at")
REQUIRED = ("email", "platform_id")
_EXAMPLE = "2025-11-21T15:45:00Z"

SINCE_EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""The start of a link that names none: a directory that is imported was there before."""


def parse_link(fields: Mapping[str, object]) -> Link:
    """Return the link.

    Args:
        fields: by name; absent, null and empty are the same.

    Raises:
        ValueError: with the first problem, the field named.
    """
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        raise ValueError(f"unknown field {shown(unknown[0])}; expected {', '.join(FIELDS)}")
    texts = {name: optional_text(name, fields.get(name)) for name in FIELDS}
    for name in REQUIRED:
        if texts[name] is None:
            raise ValueError(f"{name}: is missing")
    linked_at = _instant("linked_at", texts["linked_at"]) or SINCE_EVER
    unlinked_at = _instant("unlinked_at", texts["unlinked_at"])
    if unlinked_at is not None and unlinked_at < linked_at:
        raise ValueError("unlinked_at: is earlier than linked_at")
    return Link(
        email=mailbox(named("email", valid_email, texts["email"] or "")),
        platform_id=named("platform_id", valid_identifier, texts["platform_id"] or ""),
        linked_at=linked_at,
        unlinked_at=unlinked_at,
        google_id=google_id_of(fields.get("google_id")),
        provider=_provider(texts["provider"]),
    )


def _instant(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return read_instant(text).replace(microsecond=0)
    except ValueError:
        words = f"{name}: expected a time with an offset, such as {_EXAMPLE}"
        raise ValueError(words) from None


def _provider(text: str | None) -> Provider | None:
    if text is None:
        return None
    try:
        return Provider(text)
    except ValueError:
        raise ValueError(f"provider: expected {', '.join(Provider)}") from None
