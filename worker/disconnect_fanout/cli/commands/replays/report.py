"""Following a replay: workers send, the command only watches."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from disconnect_fanout.adapters.store.replays.job import ReplayJobs
from disconnect_fanout.cli.screen.output import say
from disconnect_fanout.cli.screen.progress_bar import progress_bar
from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.domain.replay import ENDED, ReplayProgress
from disconnect_fanout.flow.outage import StoreUnreachable

_POLL_S = 0.3
_SHARE = 20  # looking may take a twentieth of the time: counting a million items takes its own


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
    """Watch a job until it has ended, through pauses and outages of the database."""
    with progress_bar(counts=True) as bar:
        task = bar.add_task("replaying", total=None, counts="")

        def draw(seen: ReplayProgress) -> None:
            bar.update(
                task,
                total=seen.selected,
                completed=seen.delivered + seen.failed,
                description="replaying" if seen.state == "running" else seen.state,
                counts=_counts(seen),
            )

        return await _watch(jobs, job, draw)


async def _watch(
    jobs: ReplayJobs, job: str, draw: Callable[[ReplayProgress], None]
) -> ReplayReport:
    reachable = True
    while True:
        began = time.monotonic()
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
            if seen.state in ENDED:
                return report(seen)
        await asyncio.sleep(max(_POLL_S, _SHARE * (time.monotonic() - began)))


def _counts(seen: ReplayProgress) -> str:
    named = {
        "delivered": seen.delivered,
        "failed again": seen.failed,
        "pending": seen.pending,
        "reconnected": seen.reconnected,
    }
    return ", ".join(f"{count} {name}" for name, count in named.items())
