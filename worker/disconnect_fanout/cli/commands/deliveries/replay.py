"""``fanout deliveries replay``: what ended sent again, what was delivered included."""

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
    everything: Annotated[
        bool, typer.Option("--all", help="Every one that was delivered or is dead.")
    ] = False,
    wanted: Wanted,
    limit: MostOption = None,
    rate: RateOption = None,
    include_reconnected: ReconnectedOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    detach: DetachOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Send deliveries again, also those that were delivered: for a platform that lost its data.

    What was delivered stays so, whatever is answered now: a failure counts in the job and makes no
    dead letter. The webhook-id is the same, so a receiver that dedupes ignores what it still has.

    \b
    Examples:
      fanout deliveries replay --platform plat_luma --since 2d --rate 20/s
      fanout deliveries replay wh_del_5d41402abc4b2a76b9719d911017c592
    """
    order = ReplayOrder(
        states=(DeliveryState.DELIVERED, DeliveryState.DEAD),
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
