"""``fanout rejected``: what never became deliveries, straight from the broker."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated

import typer

from disconnect_fanout.adapters.broker.rejected_queue import RejectedQueue
from disconnect_fanout.adapters.broker.rejected_record import Rejected
from disconnect_fanout.app.settings import Settings
from disconnect_fanout.cli.arguments.filters import LimitOption, first
from disconnect_fanout.cli.runtime.audited import audited
from disconnect_fanout.cli.runtime.broker_session import publishing
from disconnect_fanout.cli.runtime.session import configuration, execute, opened
from disconnect_fanout.cli.screen.confirmation import YesOption, confirmed
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_list, show_one
from disconnect_fanout.cli.usage_error import UsageError
from disconnect_fanout.domain.not_found import NotFound

app = typer.Typer(no_args_is_help=True, help="Rejected events: what never became deliveries.")
IdsArgument = Annotated[list[str] | None, typer.Argument(metavar="ID…", help="As listed: rej_….")]


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """One rejected event, without its body."""

    id: str
    reason: str
    detail: str
    event_id: str | None
    received_at: datetime | None
    size: int


@dataclass(frozen=True, slots=True)
class RejectedStory(RejectedRecord):
    """One rejected event with its body."""

    body: str


@dataclass(frozen=True, slots=True)
class Moved:
    """How many messages left the queue."""

    replayed: int = 0
    discarded: int = 0


@app.command("list")
def list_(limit: LimitOption = 50, output: OutputOption = Output.TABLE) -> None:
    r"""List rejected events, the oldest first. Listing changes nothing.

    \b
    Example:
      fanout rejected list
    """
    show_list([_record(one) for one in first(limit, execute(_list(limit + 1)))], output)


@app.command()
def show(
    *,
    rejected_id: Annotated[str, typer.Argument(metavar="ID")],
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Show one rejected event with its body, which names its user.

    \b
    Example:
      fanout rejected show rej_0123456789abcdef
    """
    record, body = execute(_find(rejected_id))
    story = RejectedStory(**asdict(_record(record)), body=body.decode(errors="replace"))
    show_one(story, output)


@app.command()
def replay(
    *,
    ids: IdsArgument = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Publish rejected events again, once their cause is mended, and remove them here.

    \b
    Examples:
      fanout rejected replay rej_0123456789abcdef
      fanout rejected replay --all
    """
    wanted = _wanted(ids, everything=everything)
    many = "all rejected events" if wanted is None else str(len(wanted))
    if not confirmed(f"Publish {many} again?", yes=yes):
        _nothing_done(output)
        return

    async def work() -> int:
        async with opened() as session, _queue(session.settings) as queue:
            await _require(queue, wanted or ())
            async with audited(session) as counts:
                counts["replayed"] = await queue.replay(wanted)
            return counts["replayed"]

    show_one(Moved(replayed=execute(work())), output)


@app.command()
def discard(
    *,
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="As listed: rej_….")],
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Remove rejected events for good.

    \b
    Example:
      fanout rejected discard rej_0123456789abcdef
    """
    if not confirmed(f"Remove {len(ids)} for good?", yes=yes):
        _nothing_done(output)
        return

    async def work() -> int:
        async with opened() as session, _queue(session.settings) as queue:
            await _require(queue, ids)
            async with audited(session) as counts:
                counts["discarded"] = await queue.discard(ids)
            return counts["discarded"]

    show_one(Moved(discarded=execute(work())), output)


def _nothing_done(output: Output) -> None:
    """Say so: a no is an answer, not a failure.

    They were asked before the broker was spoken to, whose connection outlives no long thought.
    """
    say("nothing was done")
    show_one(Moved(), output)


async def _find(rejected_id: str) -> tuple[Rejected, bytes]:
    async with _queue(configuration()) as queue:
        found = await queue.find(rejected_id)
    if found is None:
        raise NotFound("rejected event", rejected_id)
    return found


async def _list(limit: int) -> list[Rejected]:
    async with _queue(configuration()) as queue:
        return await queue.list(limit)


@asynccontextmanager
async def _queue(settings: Settings) -> AsyncIterator[RejectedQueue]:
    async with publishing(settings, "fanout rejected") as (publisher, topology):
        yield RejectedQueue(publisher, topology)


async def _require(queue: RejectedQueue, ids: Collection[str]) -> None:
    """Name the first id that is not there, before anything is changed."""
    if not ids:
        return
    missing = await queue.missing(ids)
    for one in ids:
        if one in missing:
            raise NotFound("rejected event", one)


def _wanted(ids: list[str] | None, *, everything: bool) -> Collection[str] | None:
    """Return the ids, None for all."""
    if bool(ids) is everything:
        raise UsageError("give ids, or --all")
    return ids or None


def _record(one: Rejected) -> RejectedRecord:
    return RejectedRecord(one.id, one.reason, one.detail, one.event_id, one.received_at, one.size)
