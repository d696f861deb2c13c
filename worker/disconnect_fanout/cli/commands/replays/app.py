"""``fanout replays``: jobs that send deliveries again, watched and held up."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeAlias

import typer

from disconnect_fanout.adapters.store.replays.job import ReplayJobs
from disconnect_fanout.cli.arguments.filters import LimitOption, first
from disconnect_fanout.cli.runtime.audited import audited
from disconnect_fanout.cli.runtime.session import execute, opened, reading
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_list, show_one
from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.domain.replay import ReplayProgress

app = typer.Typer(
    no_args_is_help=True, help="Replays: jobs that send deliveries again; workers do them."
)

JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="As `dlq replay` printed it.")]
_Change: TypeAlias = Callable[[ReplayJobs], Awaitable[None]]


@app.command("list")
def list_(limit: LimitOption = 50, output: OutputOption = Output.TABLE) -> None:
    r"""List replays, the newest first.

    \b
    Example:
      fanout replays list
    """

    async def work() -> list[ReplayProgress]:
        async with reading() as session:
            return await ReplayJobs(session.database).all(limit + 1)

    show_list(first(limit, execute(work())), output)


@app.command()
def show(job: JobArgument, output: OutputOption = Output.TABLE) -> None:
    r"""Show how far a replay has come.

    \b
    Example:
      fanout replays show 4f1c9a7be02d
    """

    async def work() -> ReplayProgress:
        async with reading() as session:
            return await _progress(ReplayJobs(session.database), job)

    show_one(execute(work()), output)


@app.command()
def pause(job: JobArgument, output: OutputOption = Output.TABLE) -> None:
    r"""Hold a replay: nothing of it is sent until it is resumed, retries included.

    \b
    Example:
      fanout replays pause 4f1c9a7be02d
    """
    show_one(_changed(job, lambda jobs: jobs.pause(job)), output)
    say(f"to let it go on: fanout replays resume {job}")


@app.command()
def resume(job: JobArgument, output: OutputOption = Output.TABLE) -> None:
    r"""Let a paused replay go on, at its rate.

    \b
    Example:
      fanout replays resume 4f1c9a7be02d
    """
    show_one(_changed(job, lambda jobs: jobs.resume(job)), output)


@app.command()
def cancel(job: JobArgument, output: OutputOption = Output.TABLE) -> None:
    r"""End a replay: what was not sent stays, or becomes again, the dead letter that it was.

    \b
    Example:
      fanout replays cancel 4f1c9a7be02d
    """
    show_one(_changed(job, lambda jobs: jobs.cancel(job)), output)


def _changed(job: str, change: _Change) -> ReplayProgress:
    async def work() -> ReplayProgress:
        async with opened() as session:
            jobs = ReplayJobs(session.database)
            await _progress(jobs, job)  # what is not there can't be changed, nor audited
            async with audited(session):
                await change(jobs)
            return await _progress(jobs, job)

    return execute(work())


async def _progress(jobs: ReplayJobs, job: str) -> ReplayProgress:
    found = await jobs.progress(job)
    if found is None:
        raise NotFound("replay", job)
    return found
