"""``fanout privacy``: what a person may ask of whoever runs this."""

import asyncio
import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from disconnect_fanout.adapters.store.forgetting import Forgetting, PersonalData
from disconnect_fanout.cli.audited import audited
from disconnect_fanout.cli.failure import ExitCode
from disconnect_fanout.cli.output import Output, OutputOption, say, show_one
from disconnect_fanout.cli.person import EmailOption
from disconnect_fanout.cli.session import Session, execute, opened
from disconnect_fanout.domain.mailbox import mailbox

app = typer.Typer(no_args_is_help=True)
_LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed, and from where.

    Attributes:
        links: removed.
        events: about nobody from now on; likewise the deliveries.
        attempts: whose answers were removed.
        discarded: deliveries whose platforms will not be told.
    """

    links: int = 0
    credentials: int = 0
    events: int = 0
    deliveries: int = 0
    attempts: int = 0
    discarded: int = 0


@app.callback(help="Privacy: removing a person.")
def _privacy() -> None:
    """Keep ``forget`` a word of its own, alone as it is."""


@app.command()
def forget(
    *,
    email: EmailOption,
    discard: Annotated[
        bool, typer.Option("--discard", help="Also what platforms have not been told yet.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Remove a person from links, events, deliveries and dead letters, for good.

    The history keeps which platform was told when, no longer about whom; all counts stay true, and
    the same event ids are still told once. Refused while platforms are untold, unless --discard.
    Rejected events are not searched: see fanout rejected list.

    \b
    Example:
      fanout privacy forget --email alice@example.com
    """

    async def work() -> Forgotten | None:
        async with opened() as session:
            person = Forgetting(session.database, await session.seals(), mailbox(email))
            found = await person.found()
            if not (found.links or found.events or found.credentials or found.promised):
                say("nothing is stored about this person")
                return Forgotten()
            if found.open and not discard:
                _refuse(found)
                return None
            _ask(found, yes=yes)
            return await _forget(session, person, found)

    done = execute(work())
    if done is None:
        raise typer.Exit(ExitCode.SOME_FAILED)
    show_one(done, output)


def _refuse(found: PersonalData) -> None:
    say(
        f"fanout: nothing was removed, because not all platforms have been told about this person: "
        f"{found.untold} deliveries wait, {found.dead} are dead letters, "
        f"{found.promised} events are not published yet"
    )
    say(
        "fanout: let them be told (fanout dlq replay --user …), or give --discard: "
        "these platforms will never be told"
    )


def _ask(found: PersonalData, *, yes: bool) -> None:
    """Ask a person at a terminal; a program that calls this is certain."""
    if yes or not sys.stdin.isatty():
        return
    what = f"{found.links} links, {found.events} events and {found.deliveries} deliveries"
    typer.confirm(f"Forget the person in {what}?", abort=True, err=True)


async def _forget(session: Session, person: Forgetting, found: PersonalData) -> Forgotten:
    async with audited(session) as counts:
        discarded = await _discard(person, found)
        found = await person.found()
        await person.remove()
        counts |= {
            "links": found.links,
            "credentials": found.credentials,
            "events": found.events,
            "deliveries": found.deliveries,
            "attempts": found.attempts,
            "discarded": discarded,
        }
    return Forgotten(**counts)


async def _discard(person: Forgetting, found: PersonalData) -> int:
    """Discard until nothing is open; a request that is being made is waited for, never cut off."""
    count, patient = 0, False
    while found.open:
        count += await person.discard()
        found = await person.found()
        if found.untold:
            if not patient:
                say("waiting for a request that is under way")
                patient = True
            await asyncio.sleep(_LOOK_EVERY_S)
    return count
