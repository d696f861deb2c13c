"""``fanout events``: what came in and what became of it."""

from datetime import timedelta
from typing import Annotated

import typer

from disconnect_fanout.adapters.store.events.history import (
    EventFilter,
    EventHistory,
    RecordedOutcome,
)
from disconnect_fanout.adapters.store.events.late_recipients import LateRecipients, Resolved
from disconnect_fanout.adapters.store.events.record import EventRecord, EventStory
from disconnect_fanout.adapters.store.platforms.source import SqlPlatformSource
from disconnect_fanout.adapters.store.rows.user_match import match_events
from disconnect_fanout.cli.arguments.filters import LimitOption, UserOption, first
from disconnect_fanout.cli.arguments.timestamps import SinceOption, UntilOption
from disconnect_fanout.cli.runtime.audited import audited
from disconnect_fanout.cli.runtime.session import execute, opened, reading
from disconnect_fanout.cli.screen.output import Output, OutputOption, show_list, show_one

app = typer.Typer(no_args_is_help=True, help="Events: what came in and what became of it.")
EventArgument = Annotated[str, typer.Argument(metavar="ID", help="The id that upstream gave it.")]


@app.command("list")
def list_(
    *,
    outcome: Annotated[RecordedOutcome | None, typer.Option("--outcome")] = None,
    near_miss: Annotated[
        bool,
        typer.Option(
            "--near-miss", help="Of which a platform was not notified: it has another Google id."
        ),
    ] = False,
    user: UserOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""List events, the newest first.

    \b
    Examples:
      fanout events list --outcome no_recipients --since 2h
      fanout events list --near-miss
    """

    async def work() -> list[EventRecord]:
        async with reading() as session:
            theirs = None
            if user is not None:
                theirs = await match_events(session.database, await session.seals(), user)
            chosen = EventFilter(outcome, theirs, since, until, near_miss)
            return await EventHistory(session.database).all(chosen, limit + 1)

    show_list(first(limit, execute(work())), output)


@app.command()
def show(event_id: EventArgument, output: OutputOption = Output.TABLE) -> None:
    r"""Show one event, its user and its deliveries.

    \b
    Example:
      fanout events show evt_8f14e45fceea
    """

    async def work() -> EventStory:
        async with reading() as session:
            history = EventHistory(session.database)
            return await history.one(event_id, await session.seals())

    show_one(execute(work()), output)


@app.command()
def resolve(event_id: EventArgument, output: OutputOption = Output.TABLE) -> None:
    r"""Tell recipients whose link, valid at the disconnect, was recorded since the event came.

    Left out, and counted, are platforms that the user has linked again since the disconnect.

    \b
    Example:
      fanout events resolve evt_8f14e45fceea
    """

    async def work() -> Resolved:
        async with opened() as session:
            settings = session.settings
            source = SqlPlatformSource(session.database, session.vault, settings.timeout)
            grace = timedelta(seconds=settings.link_grace)
            late = LateRecipients(session.database, await session.seals(), source, grace)
            async with audited(session) as counts:
                resolved = await late.resolve(event_id)
                counts |= {"added": len(resolved.added), "reconnected": resolved.reconnected}
            return resolved

    show_one(execute(work()), output)
