"""``fanout links``: which platform had whose calendar connected, from when to when."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from disconnect_fanout.adapters.store.links.book import LARGEST_PAGE, LinkBook, LinkChoice, Written
from disconnect_fanout.cli.arguments.import_file import ImportFile
from disconnect_fanout.cli.arguments.link_line import FIELDS, REQUIRED, SINCE_EVER, parse_link
from disconnect_fanout.cli.arguments.person import (
    EmailOption,
    GoogleIdOption,
    ProviderOption,
    StoredEmailOption,
)
from disconnect_fanout.cli.arguments.timestamps import AtOption, now
from disconnect_fanout.cli.runtime.audited import audited
from disconnect_fanout.cli.runtime.session import Session, execute, opened, reading
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_list, show_one
from disconnect_fanout.domain.event import Provider
from disconnect_fanout.domain.link import Link
from disconnect_fanout.domain.mailbox import mailbox, readable
from disconnect_fanout.domain.not_found import NotFound

app = typer.Typer(no_args_is_help=True, help="Links: who had their calendar connected where.")
PlatformOption = Annotated[str, typer.Option("--platform", metavar="ID", help="The platform's id.")]


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """A link in the words and the order of the import file.

    Attributes:
        linked_at: None if it was imported without one: it holds since ever.
    """

    email: str = field(repr=False)
    google_id: str | None = field(repr=False)
    provider: Provider | None
    platform_id: str
    linked_at: datetime | None
    unlinked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes:
        links: lines of the file.
        new: links that were not there before.
        changed: links that have an earlier start, an end or a Google id now.
    """

    links: int = 0
    new: int = 0
    changed: int = 0

    def and_then(self, page: Written) -> "Imported":
        """Return this and one page more."""
        return Imported(
            self.links + len(page.links), self.new + page.new, self.changed + page.changed
        )


@app.command()
def add(
    *,
    email: EmailOption,
    platform: PlatformOption,
    google_id: GoogleIdOption = None,
    provider: ProviderOption = None,
    at: AtOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Note that a platform has a user's calendar connected, from now on or from --at on.

    A link that is open already stays as it is, but for an earlier start.

    \b
    Example:
      fanout links add --email alice@example.com --google-id 105942374304 --platform plat_luma
    """
    link = Link(mailbox(email), platform, _second(at), None, google_id, provider)

    async def work() -> Link:
        async with opened() as session:
            book = await _book(session)
            if await book.unregistered([platform]):
                raise NotFound("platform", platform)
            async with audited(session) as counts:
                written = await book.write([link], anew=True)
                counts["links"] = 1
            say(f"links: {written.new} new, {written.changed} changed")
            return written.links[0]

    show_one(_record(execute(work())), output)


@app.command()
def end(
    *,
    email: StoredEmailOption,
    platform: PlatformOption,
    google_id: GoogleIdOption = None,
    provider: ProviderOption = None,
    at: AtOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Note that a platform no longer has a user's calendar connected.

    The link stays in the book: who was linked at the disconnect is still notified.

    \b
    Example:
      fanout links end --email alice@example.com --platform plat_luma
    """
    choice = LinkChoice(email, platform, google_id, provider)
    when = _second(at)

    async def work() -> list[LinkRecord]:
        async with opened() as session, audited(session) as counts:
            ended = await (await _book(session)).end(choice, when)
            counts["links"] = len(ended)
            if not ended:
                words = f"of that user to {platform} that began by {when:%FT%TZ}"
                raise NotFound("open link", words)
            return [_record(link) for link in ended]

    show_list(execute(work()), output)


@app.command("list")
def list_(email: StoredEmailOption, output: OutputOption = Output.TABLE) -> None:
    r"""List a user's links, the newest first.

    \b
    Example:
      fanout links list --email alice@example.com
    """

    async def work() -> list[LinkRecord]:
        async with reading() as session:
            found = await (await _book(session)).of_user(email)
            return [_record(link) for link in found]

    show_list(execute(work()), output)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .csv or .jsonl.")],
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Import links: all of a file or, if a single line is wrong, nothing.

    Fields: email, platform_id, and optionally google_id, provider, linked_at (without it: since
    ever), unlinked_at. Importing a file again changes nothing; a link that has an end by now is
    ended, and one of which the file knows an earlier start has that start.

    \b
    Example:
      fanout links import links.csv
    """
    show_one(execute(_import(file)), output)


async def _import(file: Path) -> Imported:
    async with opened() as session:
        book, done = await _book(session), Imported()
        lines, named = ImportFile(file, FIELDS, REQUIRED, parse_link), set[str]()
        lines.check(lambda link: named.add(link.platform_id))
        links = lines.read()
        for unknown in sorted(await book.unregistered(named)):
            say(f"no platform {unknown} is registered yet")
        async with audited(session) as counts:
            try:
                while page := list(islice(links, LARGEST_PAGE)):
                    done = done.and_then(await book.write(page))
                    counts["links"] = done.links
            except asyncio.CancelledError:
                said = f"interrupted after {done.links} links"
                say(f"{said}; import the file again, it adds the others")
                raise
    return done


async def _book(session: Session) -> LinkBook:
    return LinkBook(session.database, await session.seals())


def _second(at: datetime | None) -> datetime:
    return now() if at is None else at.replace(microsecond=0)


def _record(link: Link) -> LinkRecord:
    return LinkRecord(
        email=readable(link.email),
        google_id=link.google_id,
        provider=link.provider,
        platform_id=link.platform_id,
        linked_at=None if link.linked_at == SINCE_EVER else link.linked_at,
        unlinked_at=link.unlinked_at,
    )
