"""``fanout dlq replay``: dead letters sent again, by the workers, as a stored job."""

import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from disconnect_fanout.adapters.store.delivery_history import DeliveryHistory
from disconnect_fanout.adapters.store.known_names import require_known
from disconnect_fanout.adapters.store.replay_job import ReplayJobs
from disconnect_fanout.adapters.store.replay_selection import ReplaySelection, ReplaySelector
from disconnect_fanout.cli.failure import ExitCode
from disconnect_fanout.cli.filters import (
    EventOption,
    PlatformsOption,
    StatusOption,
    UserOption,
    Wanted,
    WhyOption,
)
from disconnect_fanout.cli.misuse import Misuse
from disconnect_fanout.cli.moment import SinceOption, UntilOption
from disconnect_fanout.cli.output import Output, OutputOption, say, show_one
from disconnect_fanout.cli.platform_option import parse_rate
from disconnect_fanout.cli.replay_report import ReplayReport, follow
from disconnect_fanout.cli.session import Session, execute, opened
from disconnect_fanout.domain.delivery import DeliveryState


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to replay, and how."""

    wanted: Wanted
    limit: int | None
    include_reconnected: bool
    dry_run: bool
    rate_per_s: float | None
    yes: bool


def replay(
    *,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID…", help="wh_del_…")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every open dead letter.")] = False,
    platform: PlatformsOption = None,
    why: WhyOption = None,
    status: StatusOption = None,
    user: UserOption = None,
    event: EventOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    rate: Annotated[
        float | None,
        typer.Option("--rate", parser=parse_rate, metavar="RATE", help="Such as 10/s, in all."),
    ] = None,
    include_reconnected: Annotated[
        bool,
        typer.Option(
            "--include-reconnected",
            help="Also tell platforms that the user has linked again since.",
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and store nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Don't wait for the end.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Send dead letters again: some by id, those that match, or --all.

    Workers send them, with the same webhook-id; this command follows. Ctrl-C leaves the job
    running. Left out are platforms that the user has linked again since the disconnect.

    \b
    Examples:
      fanout dlq replay --platform plat_luma --since 24h --rate 20/s
      fanout dlq replay --all --dry-run
    """
    named = tuple(ids or ())
    wanted = Wanted(named, tuple(platform or ()), why, status, user, event, since, until)
    if wanted.everything is not everything:
        raise Misuse("give ids, filters, or --all")
    if not (yes or dry_run or sys.stdin.isatty()):
        raise Misuse("without a terminal to ask at, give --yes (or --dry-run)")
    plan = _Plan(wanted, limit, include_reconnected, dry_run, rate, yes)
    started = execute(_start(plan))
    if started.job is not None and not detach:
        started = _followed(started.job)
    show_one(started, output)
    if started.failed:
        raise typer.Exit(ExitCode.SOME_FAILED)


async def _start(plan: _Plan) -> ReplayReport:
    async with opened() as session:
        selection = await _select(session, plan)
        count, left_out = len(selection.ids), selection.reconnected
        _tell(selection)
        if plan.dry_run or not count:
            state = "dry_run" if plan.dry_run else "nothing_to_do"
            return ReplayReport(None, state, count, left_out)
        if not plan.yes and not typer.confirm(f"Replay {count}?", err=True):
            return ReplayReport(None, "declined", count, left_out)
        jobs = ReplayJobs(session.database)
        job = await jobs.create(selection.ids, rate_per_s=plan.rate_per_s, reconnected=left_out)
        return ReplayReport(job, "running", count, left_out, pending=count)


async def _select(session: Session, plan: _Plan) -> ReplaySelection:
    chosen = await plan.wanted.chosen(session, DeliveryState.DEAD)
    await require_known(session.database, chosen)
    history = DeliveryHistory(session.database)
    for one in chosen.ids:
        await history.dead_letter(one)
    return await ReplaySelector(session.database, await session.seals()).select(
        chosen, limit=plan.limit, include_reconnected=plan.include_reconnected
    )


def _followed(job: str) -> ReplayReport:
    async def work() -> ReplayReport:
        async with opened() as session:
            return await follow(ReplayJobs(session.database), job)

    try:
        say(f"job {job}; Ctrl-C leaves it running")
        return execute(work())
    except KeyboardInterrupt:
        say(f"job {job} goes on without this command")
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _tell(selection: ReplaySelection) -> None:
    for platform_id, count in sorted(selection.by_platform.items()):
        say(f"{count:>8}  {platform_id}")
    if selection.reconnected:
        say(f"{selection.reconnected:>8}  left out: the user has linked the platform again since")
