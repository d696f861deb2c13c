"""``fanout deliveries balance``: nobody to be notified is missing, nobody is there twice."""

import asyncio
import time
from dataclasses import asdict, dataclass

import typer

from disconnect_fanout.adapters.broker.dead_queue import AmqpLetterQueue
from disconnect_fanout.adapters.store.deliveries.balance import Balance, BalanceSheet, EventBalance
from disconnect_fanout.cli.exit_code import ExitCode
from disconnect_fanout.cli.runtime.broker_session import publishing
from disconnect_fanout.cli.runtime.session import Session, execute, opened
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_one
from disconnect_fanout.flow.outage import BrokerUnreachable

_MOST_EVENTS = 100
_SETTLES_WITHIN_S = 12.0  # the sweeper brings queue and rows into step within ten
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class BalanceReport(Balance):
    """The balance, and what does not close.

    Attributes:
        closed: everything adds up, and the dead-letter queue holds a letter for each dead one.
        dead_queue_depth: None if the broker did not answer.
        events: those whose own balance does not close, at most 100.
    """

    closed: bool
    dead_queue_depth: int | None
    events: tuple[EventBalance, ...]


def balance(output: OutputOption = Output.TABLE) -> None:
    r"""Check that resolved = delivered + dead + discarded + pending, for every event and in all.

    Each number is counted from the database, none is derived from the others; and the depth of
    the dead-letter queue is compared with the open dead letters. Exit code 0 if all of it closes.

    \b
    Example:
      fanout deliveries balance -o json
    """
    report = execute(_report())
    show_one(report, output)
    if report.dead_queue_depth is None:
        raise typer.Exit(ExitCode.UNREACHABLE)
    if not report.closed:
        _explain(report)
        raise typer.Exit(ExitCode.SOME_FAILED)


async def _report() -> BalanceReport:
    async with opened() as session:
        sheet = BalanceSheet(session.database)
        events = tuple(await sheet.open_events(_MOST_EVENTS))
        overall, depth = await _in_step(session, sheet)
    closed = not events and overall.difference == 0 and overall.dead == depth
    return BalanceReport(**asdict(overall), closed=closed, dead_queue_depth=depth, events=events)


async def _in_step(session: Session, sheet: BalanceSheet) -> tuple[Balance, int | None]:
    """Return balance and depth, once they agree on the dead letters or should have by now."""
    try:
        async with publishing(session.settings, "fanout balance") as (publisher, topology):
            queue = AmqpLetterQueue(publisher, topology.dead_queue)
            until = time.monotonic() + _SETTLES_WITHIN_S
            while True:
                overall, depth = await sheet.overall(), await queue.depth()
                if overall.dead == depth or time.monotonic() >= until:
                    return overall, depth
                await asyncio.sleep(_LOOK_EVERY_S)
    except BrokerUnreachable as error:
        say(f"fanout: the dead-letter queue was not counted: {error}")
        return await sheet.overall(), None


def _explain(report: BalanceReport) -> None:
    if report.difference or report.events:
        say(f"the balance does not close: {report.difference} missing, see the events")
    if report.dead != report.dead_queue_depth:
        say(
            f"{report.dead} open dead letters, but {report.dead_queue_depth} messages in the "
            "dead-letter queue: a running worker mends that; is somebody consuming them?"
        )
