"""Ordering a replay: what is selected is shown, a person is asked, workers do the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from disconnect_fanout.adapters.store.deliveries.history import DeliveryHistory
from disconnect_fanout.adapters.store.deliveries.known_names import require_known
from disconnect_fanout.adapters.store.replays.job import ReplayJobs
from disconnect_fanout.adapters.store.replays.selection import ReplaySelection, ReplaySelector
from disconnect_fanout.cli.arguments.filters import Wanted
from disconnect_fanout.cli.arguments.platform_options import parse_rate
from disconnect_fanout.cli.arguments.timestamps import now
from disconnect_fanout.cli.commands.replays.report import ReplayReport, follow
from disconnect_fanout.cli.exit_code import ExitCode
from disconnect_fanout.cli.runtime.audited import audited
from disconnect_fanout.cli.runtime.session import Session, execute, opened
from disconnect_fanout.cli.screen.confirmation import confirmed, require_terminal
from disconnect_fanout.cli.screen.output import Output, say, show_one
from disconnect_fanout.cli.usage_error import UsageError
from disconnect_fanout.domain.delivery import DeliveryState
from disconnect_fanout.domain.duration import format_duration
from disconnect_fanout.domain.instant import from_ms
from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.domain.replay import ReplayState

IdsArgument = Annotated[list[str] | None, typer.Argument(metavar="ID…", help="wh_del_…")]
RateOption = Annotated[
    float | None,
    typer.Option("--rate", parser=parse_rate, metavar="RATE", help="Such as 10/s, in all."),
]
ReconnectedOption = Annotated[
    bool,
    typer.Option(
        "--include-reconnected",
        help="Also tell platforms that the user has linked again since.",
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Count, and store nothing.")]
DetachOption = Annotated[bool, typer.Option("--detach", help="Don't wait for the end.")]


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """What to send again, and how.

    Attributes:
        states: in which a delivery may be sent again.
        everything: ``--all`` was given.
    """

    states: tuple[DeliveryState, ...]
    wanted: Wanted
    everything: bool
    limit: int | None
    rate_per_s: float | None
    include_reconnected: bool
    dry_run: bool
    yes: bool
    detach: bool


def place(order: ReplayOrder, output: Output) -> None:
    """Store the job, follow it, report."""
    if order.wanted.everything is not order.everything:
        raise UsageError("give ids, filters, or --all")
    require_terminal(yes=order.yes or order.dry_run, otherwise="--yes (or --dry-run)")
    report = execute(_start(order))
    if report.job is not None and not order.detach:
        report = _followed(report.job)
    show_one(report, output)
    if report.failed or report.state == ReplayState.CANCELLED:
        raise typer.Exit(ExitCode.SOME_FAILED)


async def _start(order: ReplayOrder) -> ReplayReport:
    async with opened() as session:
        selection = await _select(session, order)
        count, left_out = len(selection.ids), selection.reconnected
        _tell(selection)
        if order.dry_run or not count:
            state = "dry_run" if order.dry_run else "nothing_to_do"
            return ReplayReport(None, state, count, left_out)
        if not confirmed(f"Replay {count}?", yes=order.yes):
            return ReplayReport(None, "declined", count, left_out)
        async with audited(session) as counts:
            counts |= {"selected": count, "reconnected": left_out}
            job = await ReplayJobs(session.database).create(
                selection.ids,
                rate_per_s=order.rate_per_s,
                reconnected=left_out,
                again=DeliveryState.DELIVERED in order.states,
                include_reconnected=order.include_reconnected,
            )
        return ReplayReport(job, ReplayState.RUNNING, count, left_out, pending=count)


async def _select(session: Session, order: ReplayOrder) -> ReplaySelection:
    chosen = await order.wanted.chosen(session, *order.states)
    await require_known(session.database, chosen)
    await _require_fit(DeliveryHistory(session.database, session.vault), chosen.ids, order.states)
    return await ReplaySelector(session.database, await session.seals()).select(
        chosen, limit=order.limit, include_reconnected=order.include_reconnected
    )


async def _require_fit(
    history: DeliveryHistory, ids: Sequence[str], states: Sequence[DeliveryState]
) -> None:
    """Refuse an id whose delivery can't be sent again; a filter just does not match it."""
    for one in ids:
        state = (await history.delivery(one)).state
        if state not in states:
            only_dead = tuple(states) == (DeliveryState.DEAD,)
            kind = "open dead letter" if only_dead else "delivered or dead delivery"
            raise NotFound(kind, f"{one}; its state is {state}")


def _followed(job: str) -> ReplayReport:
    async def work() -> ReplayReport:
        async with opened() as session:
            return await follow(ReplayJobs(session.database), job)

    try:
        say(f"job {job}; Ctrl-C leaves it running")
        return execute(work())
    except KeyboardInterrupt:
        say(f"job {job} goes on without this command")
        say(f"  how it is doing: fanout replays show {job}")
        say(f"  to hold it:      fanout replays pause {job}")
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _tell(selection: ReplaySelection) -> None:
    """Say how many of what, and how old."""
    for (platform_id, reason), group in sorted(
        selection.groups.items(), key=lambda one: (one[0][0], one[0][1] or "")
    ):
        newest, oldest = _age(group.newest), _age(group.oldest)
        span = newest if newest == oldest else f"{newest} to {oldest}"
        say(f"{group.count:>8}  {platform_id}  {reason or 'delivered'}, {span} ago")
    if selection.reconnected:
        say(f"{selection.reconnected:>8}  left out: the user has linked the platform again since")
    if selection.forgotten:
        say(f"{selection.forgotten:>8}  left out: the user was forgotten")


def _age(at_ms: int) -> str:
    return format_duration(max((now() - from_ms(at_ms)).total_seconds(), 0.0))
