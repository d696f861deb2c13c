"""``fanout secret-key``: which keys seal the database, and how an old one can go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import typer

from disconnect_fanout.adapters.store.seals.secret_keys import SecretKeys
from disconnect_fanout.cli.commands.secret_key.progress import reseal_all
from disconnect_fanout.cli.runtime.audited import audited
from disconnect_fanout.cli.runtime.session import Session, execute, opened
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_list
from disconnect_fanout.flow.outage import SecretKeyMissing

app = typer.Typer(
    no_args_is_help=True,
    help="FANOUT_SECRET_KEY: which keys are in use, and how an old one can go.",
)


@dataclass(frozen=True, slots=True)
class ListedSecretKey:
    """A key by its fingerprint; the key itself is shown nowhere.

    Attributes:
        here: ``seals`` (the first one of FANOUT_SECRET_KEY), ``opens``, or ``missing``.
        used_since: None while nothing is sealed with it.
        seen_at: when something that seals with it was last seen running.
    """

    fingerprint: str
    here: str
    used_since: datetime | None
    seen_at: datetime | None


@app.command()
def status(output: OutputOption = Output.TABLE) -> None:
    r"""List the keys that are configured here or in use in the database, by their fingerprints.

    \b
    Example:
      fanout secret-key status
    """

    async def work() -> list[ListedSecretKey]:
        async with opened() as session:
            return await _listed(session)

    show_list(execute(work()), output)


@app.command()
def reseal(output: OutputOption = Output.TABLE) -> None:
    r"""Seal everything anew with the first key of FANOUT_SECRET_KEY, so that the others can go.

    Workers and API go on meanwhile, and all of them must hold the first key already. Cut short, the
    same command again does the rest.

    \b
    Example:
      fanout secret-key reseal
    """

    async def work() -> tuple[Sequence[object], Sequence[str], Sequence[str]]:
        async with opened() as session:
            await session.seals()
            missing = await SecretKeys(session.database, session.vault).missing()
            if missing is not None:
                raise SecretKeyMissing(missing)
            async with audited(session) as counts:
                done = await reseal_all(session)
                counts["resealed"] = sum(one.resealed for one in done.columns)
            return done.columns, done.retired, done.still_used

    columns, retired, still_used = execute(work())
    show_list(columns, output)
    if still_used:
        say(f"still sealed with by something that runs: {', '.join(still_used)}")
        say("start it with the new key first in FANOUT_SECRET_KEY, then run this again")
        raise typer.Exit(1)
    names = ", ".join(retired)
    say(f"may go from FANOUT_SECRET_KEY now: {names or 'every key but the first one'}")


async def _listed(session: Session) -> list[ListedSecretKey]:
    held = session.vault.fingerprints
    used = {
        one.fingerprint: one for one in await SecretKeys(session.database, session.vault).in_use()
    }
    names = [*held, *(one for one in used if one not in held)]
    return [
        ListedSecretKey(
            name,
            "missing" if name not in held else "seals" if name == held[0] else "opens",
            used[name].since if name in used else None,
            used[name].seen_at if name in used else None,
        )
        for name in names
    ]
