"""``fanout privacy``: what a person may ask of whoever runs this."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from disconnect_fanout.adapters.store.privacy.amounts import PersonalData
from disconnect_fanout.adapters.store.privacy.erasure import Erased, erase
from disconnect_fanout.adapters.store.privacy.forgetting import Forgetting
from disconnect_fanout.adapters.store.privacy.unhashed import Unattributed
from disconnect_fanout.cli.arguments.person import StoredEmailOption
from disconnect_fanout.cli.exit_code import ExitCode
from disconnect_fanout.cli.runtime.audited import audited
from disconnect_fanout.cli.runtime.session import Session, execute, opened
from disconnect_fanout.cli.screen.confirmation import YesOption, confirmed, require_terminal
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_one

app = typer.Typer(no_args_is_help=True, help="Privacy: removing a person.")
_LOOK_EVERY_S = 0.2
_ENCRYPTED = (
    "the database is too large to be rewritten unasked: its files may still hold removed bytes. "
    "They are encrypted, but for links that your own SQL wrote, and answers that a version before "
    "this one recorded. To overwrite these too: --rewrite, at a quiet hour"
)
_LEFT = {
    Erased.LARGE: _ENCRYPTED,
    Erased.NOT_OWNER: (
        "only their owner may rewrite the tables: the files may still hold removed bytes. They are "
        "encrypted, but for links that your own SQL wrote, and answers that a version before this "
        "one recorded. To overwrite these too, run it again as the owner of the schema"
    ),
    Erased.BLOCKED: (
        "the person was removed, but another transaction was in the way of overwriting the removed "
        "bytes in the database's files; end it (a backup, an open console), then run the same "
        "command again"
    ),
}


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed, and from where.

    Attributes:
        links: removed.
        events: about nobody from now on; likewise the deliveries.
        attempts: whose answers were removed.
        discarded: deliveries whose platforms will not be notified.
    """

    links: int = 0
    credentials: int = 0
    events: int = 0
    deliveries: int = 0
    attempts: int = 0
    discarded: int = 0


@app.callback()
def _privacy() -> None:
    """Keep ``forget`` a word of its own, alone as it is."""


@app.command()
def forget(
    *,
    email: StoredEmailOption,
    discard: Annotated[
        bool, typer.Option("--discard", help="Also what platforms have not been notified yet.")
    ] = False,
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="Rewrite large tables too; workers wait meanwhile.")
    ] = False,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Remove a person from links, events, deliveries and dead letters, for good.

    The history keeps which platform was notified when, no longer about whom; all counts stay true,
    and the same event ids are still notified once. Refused while platforms are untold, unless
    --discard. Rejected events are not searched: see fanout rejected list. The database's files are
    rewritten, so that they hold no removed byte; large ones only with --rewrite.

    \b
    Example:
      fanout privacy forget --email alice@example.com
    """
    require_terminal(yes=yes)

    async def work() -> tuple[Forgotten, Erased] | None:
        async with opened() as session:
            person = Forgetting(session.database, await session.seals(), email)
            if (done := await _removed(session, person, discard=discard, yes=yes)) is None:
                return None
            return done, await erase(session.database, rewrite=rewrite)

    outcome = execute(work())
    if outcome is None:
        raise typer.Exit(ExitCode.SOME_FAILED)
    done, erased = outcome
    show_one(done, output)
    if (words := _LEFT.get(erased)) is not None:
        say(f"fanout: {words}")
    if erased is Erased.BLOCKED:
        raise typer.Exit(ExitCode.SOME_FAILED)


async def _removed(
    session: Session, person: Forgetting, *, discard: bool, yes: bool
) -> Forgotten | None:
    """Remove the person; None if it was refused."""
    found = await person.found()
    _warn(await person.unattributed())
    if not found.any:
        say("nothing is stored about this person")
        return Forgotten()  # but their bytes may be, from a time that was cut short
    if found.open and not discard:
        _refuse(found)
        return None
    if not confirmed(_question(found), yes=yes):
        raise typer.Abort
    return await _forget(session, person, found)


def _warn(unattributed: Sequence[Unattributed]) -> None:
    """What may be about them, for all that anybody can tell, is said: it was not removed."""
    for one in unattributed:
        say(
            f"fanout: warning: {one.count} of {one.table} can't be attributed to anybody, for "
            f"example {one.example}: the hash of their user is lost, and no secret key in use "
            "opens them. Bring back the key or the rows from a backup and run this again, or "
            "delete the rows by SQL"
        )


def _refuse(found: PersonalData) -> None:
    say(
        f"fanout: nothing was removed, because not all platforms were notified about this person: "
        f"{found.untold} deliveries wait, {found.dead} are dead letters, "
        f"{found.promised} events are not published yet"
    )
    say(
        "fanout: let them be notified (fanout dlq replay --user …), or give --discard: "
        "these platforms will never be notified"
    )


def _question(found: PersonalData) -> str:
    what = f"{found.links} links, {found.events} events and {found.deliveries} deliveries"
    return f"Forget the person in {what}?"


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
