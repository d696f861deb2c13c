"""Following a replay: workers send, the command only watches."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from disconnect_fanout.adapters.store.not_found import NotFound
from disconnect_fanout.adapters.store.replay_job import DONE, ReplayJobs, ReplayProgress
from disconnect_fanout.cli.output import console, say
from disconnect_fanout.flow.outage import StoreUnreachable

_POLL_S = 0.3


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """The fields of CONTRACT section 6.

    Attributes:
        job: None if nothing was stored.
        state: ``dry_run``, ``nothing_to_do``, or the job's.
    """

    job: str | None
    state: str
    selected: int
    reconnected: int
    delivered: int = 0
    failed: int = 0
    pending: int = 0


def report(progress: ReplayProgress) -> ReplayReport:
    """Return what the store says of a job."""
    return ReplayReport(
        progress.job,
        progress.state,
        progress.selected,
        progress.reconnected,
        progress.delivered,
        progress.failed,
        progress.pending,
    )


async def follow(jobs: ReplayJobs, job: str) -> ReplayReport:
    """Watch a job until it is done, through outages of the database."""
    with _bar() as bar:
        task = bar.add_task("", total=None, failed=0)

        def draw(seen: ReplayProgress) -> None:
            settled = seen.delivered + seen.failed
            bar.update(task, total=seen.selected, completed=settled, failed=seen.failed)

        return await _watch(jobs, job, draw)


async def _watch(
    jobs: ReplayJobs, job: str, draw: Callable[[ReplayProgress], None]
) -> ReplayReport:
    reachable = True
    while True:
        try:
            seen = await jobs.progress(job)
        except StoreUnreachable as error:
            if reachable:
                say(f"the database does not answer; waiting for it ({error})")
            reachable = False
        else:
            if seen is None:
                raise NotFound("replay", job)
            reachable = True
            draw(seen)
            if seen.state == DONE:
                return report(seen)
        await asyncio.sleep(_POLL_S)


def _bar() -> Progress:
    """A bar on standard error, and only if that is a terminal."""
    target = console(stderr=True)
    return Progress(
        TextColumn("replaying"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"),
        TimeRemainingColumn(),
        console=target,
        disable=not target.is_terminal,
    )
