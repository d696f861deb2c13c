"""One line of an import file becomes one credential. A problem never repeats an address."""

from collections.abc import Mapping

import typer

from disconnect_fanout.cli.arguments.import_line import shown
from disconnect_fanout.cli.arguments.line_field import (
    flag,
    google_id_of,
    named,
    optional_number,
    optional_text,
)
from disconnect_fanout.cli.arguments.person import valid_email, valid_identifier
from disconnect_fanout.domain.credential import CREDENTIAL_TYPES, Credential
from disconnect_fanout.domain.mailbox import mailbox

FIELDS = ("id", "type", "user_id", "email", "google_id", "team_id", "app_id", "invalid")
REQUIRED = ("id", "type", "user_id", "email")


def valid_type(text: str) -> str:
    """Return a type of credential.

    Raises:
        ValueError: in words.
    """
    if text not in CREDENTIAL_TYPES:
        raise ValueError(f"expected one of: {', '.join(sorted(CREDENTIAL_TYPES))}")
    return text


def parse_type(text: str) -> str:
    """Return a type of credential that was given as an option."""
    try:
        return valid_type(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def parse_credential(fields: Mapping[str, object]) -> Credential:
    """Return the credential; without an ``app_id`` it has its type's.

    Raises:
        ValueError: with the first problem, the field named.
    """
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        raise ValueError(f"unknown field {shown(unknown[0])}; expected {', '.join(FIELDS)}")
    numbers = {one: optional_number(one, fields.get(one)) for one in ("id", "user_id", "team_id")}
    texts = {one: optional_text(one, fields.get(one)) or "" for one in ("type", "email", "app_id")}
    for name in REQUIRED:
        if numbers.get(name, texts.get(name)) in {None, ""}:
            raise ValueError(f"{name}: is missing")
    kind = named("type", valid_type, texts["type"])
    return Credential(
        id=numbers["id"] or 0,
        type=kind,
        user_id=numbers["user_id"] or 0,
        email=mailbox(named("email", valid_email, texts["email"])),
        google_id=google_id_of(fields.get("google_id")),
        team_id=numbers["team_id"],
        app_id=named("app_id", valid_identifier, texts["app_id"])
        if texts["app_id"]
        else CREDENTIAL_TYPES[kind].app_id,
        invalid=flag("invalid", fields.get("invalid")),
    )
