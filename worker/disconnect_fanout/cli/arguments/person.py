"""How a command line names a user: an address, maybe a Google account id, maybe a provider."""

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from disconnect_events.identifier import Email, Identifier
from disconnect_fanout.cli.arguments.line_field import GOOGLE_ID_SHAPE
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.google_id import is_google_id

_EMAIL: TypeAdapter[str] = TypeAdapter(Email)
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


def valid_email(text: str) -> str:
    """Return an address as it may come in an event.

    Raises:
        ValueError: in words that do not repeat it.
    """
    return _valid(_EMAIL, text, "an e-mail address alone, such as alice@example.com")


def valid_identifier(text: str) -> str:
    """Return an identifier as it may come in an event.

    Raises:
        ValueError: in words that do not repeat it.
    """
    return _valid(_IDENTIFIER, text, "1 to 128 printable characters without spaces")


def parse_email(text: str) -> str:
    """Return an address; it is folded where it is compared."""
    try:
        return valid_email(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def parse_stored_email(text: str) -> str:
    """Return an address by which something is looked for: also one that would be refused today.

    What was noted before addresses were judged, or by the owner's SQL, must be found, ended and
    forgotten as it stands there.
    """
    if "@" not in text:
        raise typer.BadParameter("expected an e-mail address with an @, as it was noted")
    return text


def parse_identifier(text: str) -> str:
    """Return an identifier."""
    try:
        return valid_identifier(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def parse_google_id(text: str) -> str:
    """Return a Google account id."""
    if is_google_id(text):
        return text
    raise typer.BadParameter(f"expected {GOOGLE_ID_SHAPE}")


def _valid(adapter: TypeAdapter[str], text: str, expected: str) -> str:
    try:
        return adapter.validate_python(text)
    except ValidationError:
        raise ValueError(f"expected {expected}") from None


EmailOption = Annotated[
    str,
    typer.Option("--email", parser=parse_email, metavar="EMAIL", help="The user's address."),
]
StoredEmailOption = Annotated[
    str,
    typer.Option("--email", parser=parse_stored_email, metavar="EMAIL", help="As it was noted."),
]
GoogleIdOption = Annotated[
    str | None,
    typer.Option(
        "--google-id", parser=parse_google_id, metavar="DIGITS", help="Their Google account id."
    ),
]
ProviderOption = Annotated[
    Provider | None,
    typer.Option("--provider", help="Whose calendar; without it, any."),
]
