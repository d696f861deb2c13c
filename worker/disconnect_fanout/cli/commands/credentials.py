"""``fanout credentials``: the calendar credentials that users can disconnect."""

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from disconnect_fanout.adapters.store.http_api.credentials import CredentialBook
from disconnect_fanout.adapters.store.links.book import LARGEST_PAGE
from disconnect_fanout.cli.arguments.credential_line import (
    FIELDS,
    REQUIRED,
    parse_credential,
    parse_type,
)
from disconnect_fanout.cli.arguments.filters import LimitOption, first
from disconnect_fanout.cli.arguments.import_file import ImportFile
from disconnect_fanout.cli.arguments.person import EmailOption, GoogleIdOption, parse_identifier
from disconnect_fanout.cli.runtime.audited import audited
from disconnect_fanout.cli.runtime.session import Session, execute, opened, reading
from disconnect_fanout.cli.screen.output import Output, OutputOption, show_list, show_one
from disconnect_fanout.domain.credential import CREDENTIAL_TYPES, Credential
from disconnect_fanout.domain.mailbox import mailbox, readable

app = typer.Typer(no_args_is_help=True, help="Calendar credentials, for `fanout api`.")
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    credentials: int


@app.command()
def add(
    *,
    number: Annotated[int, typer.Option("--id", min=0, max=_LARGEST_ID)],
    kind: Annotated[str, typer.Option("--type", parser=parse_type, metavar="google_calendar|…")],
    user_id: Annotated[int, typer.Option("--user-id", min=0, max=_LARGEST_ID)],
    email: EmailOption,
    google_id: GoogleIdOption = None,
    team_id: Annotated[int | None, typer.Option("--team-id", min=0, max=_LARGEST_ID)] = None,
    app_id: Annotated[
        str | None, typer.Option("--app-id", parser=parse_identifier, metavar="ID")
    ] = None,
    invalid: Annotated[bool, typer.Option("--invalid", help="It does not work any more.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Note a credential; one with the same id is replaced.

    \b
    Example:
      fanout credentials add --id 10 --type google_calendar --user-id 7 --email alice@example.com
    """
    app_of_type = CREDENTIAL_TYPES[kind].app_id
    one = Credential(
        number, kind, user_id, mailbox(email), google_id, team_id, app_id or app_of_type, invalid
    )

    async def work() -> None:
        async with opened() as session:
            book = await _book(session)
            async with audited(session) as counts:
                await book.write([one])
                counts["credentials"] = 1

    execute(work())
    show_one(_shown(one), output)


@app.command("list")
def list_(
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""List the credentials.

    \b
    Example:
      fanout credentials list
    """

    async def work() -> list[Credential]:
        async with reading() as session:
            return [_shown(one) for one in await (await _book(session)).all(limit + 1)]

    show_list(first(limit, execute(work())), output)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .csv or .jsonl.")],
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Import credentials: all of a file or, if a single line is wrong, nothing.

    Fields: id, type, user_id, email, and optionally google_id, team_id, app_id, invalid.

    \b
    Example:
      fanout credentials import credentials.jsonl
    """
    show_one(Imported(execute(_import(file))), output)


async def _import(file: Path) -> int:
    async with opened() as session:
        book, lines = await _book(session), ImportFile(file, FIELDS, REQUIRED, parse_credential)
        lines.check(lambda _: None)
        found = lines.read()
        async with audited(session) as counts:
            counts["credentials"] = 0
            while page := list(islice(found, LARGEST_PAGE)):
                await book.write(page)
                counts["credentials"] += len(page)
            return counts["credentials"]


def _shown(one: Credential) -> Credential:
    return replace(one, email=readable(one.email))


async def _book(session: Session) -> CredentialBook:
    return CredentialBook(session.database, await session.seals())
