"""``fanout dlq discard``: dead letters whose platform shall never be notified."""

from dataclasses import dataclass
from typing import Annotated

import typer

from disconnect_fanout.adapters.store.dead_letters.discards import Discards, DiscardSelection
from disconnect_fanout.adapters.store.deliveries.history import DeliveryHistory
from disconnect_fanout.adapters.store.deliveries.known_names import require_known
from disconnect_fanout.cli.arguments.filters import (
    MostOption,
    Wanted,
    filtered,
)
from disconnect_fanout.cli.runtime.audited import audited
from disconnect_fanout.cli.runtime.session import Session, execute, opened
from disconnect_fanout.cli.screen.confirmation import YesOption, confirmed, require_terminal
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_one
from disconnect_fanout.cli.usage_error import UsageError
from disconnect_fanout.domain.delivery import DeliveryState

_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Discarded:
    """What a discard did.

    Attributes:
        state: ``done``, ``declined`` or ``nothing_to_do``.
        discarded: fewer than selected if some were replayed meanwhile.
    """

    state: str
    selected: int
    discarded: int = 0


@dataclass(frozen=True, slots=True)
class _Plan:
    wanted: Wanted
    limit: int | None
    because: str
    yes: bool


def parse_because(text: str) -> str:
    """Return a reason that somebody can read in a year."""
    if not text.strip() or len(text) > _LONGEST or not text.isprintable():
        raise typer.BadParameter(f"say why, in 1 to {_LONGEST} printable characters")
    return text.strip()


@filtered
def discard(
    *,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID…", help="wh_del_…")] = None,
    because: Annotated[
        str,
        typer.Option("--because", parser=parse_because, metavar="TEXT", help="Why; it is kept."),
    ],
    everything: Annotated[bool, typer.Option("--all", help="Every open dead letter.")] = False,
    wanted: Wanted,
    limit: MostOption = None,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Close dead letters for good: some by id, those that match, or --all.

    Their platforms are never notified. The reason is kept with each delivery and in the audit.

    \b
    Example:
      fanout dlq discard --platform plat_old --because "closed down on 3 May, ticket 4711"
    """
    wanted = wanted.named(ids)
    if wanted.everything is not everything:
        raise UsageError("give ids, filters, or --all")
    require_terminal(yes=yes)
    show_one(execute(_discard(_Plan(wanted, limit, because, yes))), output)


async def _discard(plan: _Plan) -> Discarded:
    async with opened() as session:
        selection = await _select(session, plan)
        count = len(selection.ids)
        for platform_id, some in sorted(selection.by_platform.items()):
            say(f"{some:>8}  {platform_id}")
        if not count:
            return Discarded("nothing_to_do", 0)
        if not confirmed(f"Discard {count} for good?", yes=plan.yes):
            return Discarded("declined", count)
        async with audited(session) as counts:
            counts["selected"] = count
            counts["discarded"] = await Discards(session.database).discard(
                selection.ids, plan.because
            )
        if counts["discarded"] < count:
            say(f"{count - counts['discarded']} were no open dead letters any more")
        return Discarded("done", count, counts["discarded"])


async def _select(session: Session, plan: _Plan) -> DiscardSelection:
    chosen = await plan.wanted.chosen(session, DeliveryState.DEAD)
    await require_known(session.database, chosen)
    history = DeliveryHistory(session.database, session.vault)
    for one in chosen.ids:
        await history.dead_letter(one)
    return await Discards(session.database).select(chosen, plan.limit)
