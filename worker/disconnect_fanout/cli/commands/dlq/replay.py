"""``fanout dlq replay``: dead letters sent again, by the workers, as a stored job."""

from typing import Annotated

import typer

from disconnect_fanout.cli.arguments.filters import (
    MostOption,
    Wanted,
    filtered,
)
from disconnect_fanout.cli.commands.replays.order import (
    DetachOption,
    DryRunOption,
    IdsArgument,
    RateOption,
    ReconnectedOption,
    ReplayOrder,
    place,
)
from disconnect_fanout.cli.screen.confirmation import YesOption
from disconnect_fanout.cli.screen.output import Output, OutputOption
from disconnect_fanout.domain.delivery import DeliveryState


@filtered
def replay(
    *,
    ids: IdsArgument = None,
    everything: Annotated[bool, typer.Option("--all", help="Every open dead letter.")] = False,
    wanted: Wanted,
    limit: MostOption = None,
    rate: RateOption = None,
    include_reconnected: ReconnectedOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    detach: DetachOption = False,
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
    order = ReplayOrder(
        states=(DeliveryState.DEAD,),
        wanted=wanted.named(ids),
        everything=everything,
        limit=limit,
        rate_per_s=rate,
        include_reconnected=include_reconnected,
        dry_run=dry_run,
        yes=yes,
        detach=detach,
    )
    place(order, output)
