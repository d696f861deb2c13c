"""``fanout dlq groups`` and ``stats``: what the dead letters have in common, and how many come."""

from disconnect_fanout.adapters.store.dead_letters.census import (
    DeadGroup,
    DeadLetterCensus,
    DeadStats,
)
from disconnect_fanout.adapters.store.deliveries.known_names import require_known
from disconnect_fanout.cli.arguments.filters import LimitOption, Wanted, filtered, first
from disconnect_fanout.cli.runtime.session import execute, reading
from disconnect_fanout.cli.screen.output import Output, OutputOption, show_list, show_one
from disconnect_fanout.domain.delivery import DeliveryState


@filtered
def groups(
    *,
    wanted: Wanted,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Count open dead letters by platform, reason and error, the most first: start here.

    An error is the class of the last answer's status, or the words for why there was none, without
    the numbers and addresses that differ each time.

    \b
    Examples:
      fanout dlq groups
      fanout dlq groups --platform plat_luma --since 2h
    """

    async def work() -> list[DeadGroup]:
        async with reading() as session:
            chosen = await wanted.chosen(session, DeliveryState.DEAD)
            await require_known(session.database, chosen)
            return await DeadLetterCensus(session.database).groups(chosen, limit + 1)

    show_list(first(limit, execute(work())), output)


@filtered
def stats(
    *,
    wanted: Wanted,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Show how many dead letters are open, since when, and how many died in the last hour and day.

    \b
    Example:
      fanout dlq stats
    """

    async def work() -> DeadStats:
        async with reading() as session:
            chosen = await wanted.chosen(session, DeliveryState.DEAD)
            await require_known(session.database, chosen)
            return await DeadLetterCensus(session.database).stats(chosen)

    show_one(execute(work()), output)
