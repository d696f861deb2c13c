"""``fanout dlq replay``: dead letters sent again, by the workers, as a stored job."""

from typing import Annotated

import typer

from disconnect_fanout.cli.arguments.filters import (
    EventOption,
    MostOption,
    PlatformsOption,
    StatusOption,
    UserOption,
    Wanted,
    WhyOption,
)
from disconnect_fanout.cli.arguments.timestamps import SinceOption, UntilOption
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


def replay(
    *,
    ids: IdsArgument = None,
    everything: Annotated[bool, typer.Option("--all", help="Every open dead letter.")] = False,
    platform: PlatformsOption = None,
    why: WhyOption = None,
    status: StatusOption = None,
    user: UserOption = None,
    event: EventOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
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
    named, platforms = tuple(ids or ()), tuple(platform or ())
    order = ReplayOrder(
        states=(DeliveryState.DEAD,),
        wanted=Wanted(named, platforms, why, status, user, event, since, until),
        everything=everything,
        limit=limit,
        rate_per_s=rate,
        include_reconnected=include_reconnected,
        dry_run=dry_run,
        yes=yes,
        detach=detach,
    )
    place(order, output)
