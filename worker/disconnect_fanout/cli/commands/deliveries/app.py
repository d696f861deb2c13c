"""``fanout deliveries``: who was notified what, when, with which answer."""

from typing import Annotated

import typer

from disconnect_fanout.adapters.store.deliveries.history import DeliveryHistory
from disconnect_fanout.adapters.store.deliveries.known_names import require_known
from disconnect_fanout.adapters.store.deliveries.record import DeliveryRecord, DeliveryStory
from disconnect_fanout.cli.arguments.filters import LimitOption, Wanted, filtered, first
from disconnect_fanout.cli.commands.deliveries.balance import balance
from disconnect_fanout.cli.commands.deliveries.curl import curl_of, show_story
from disconnect_fanout.cli.commands.deliveries.replay import replay
from disconnect_fanout.cli.runtime.session import execute, reading
from disconnect_fanout.cli.screen.output import Output, OutputOption, show_list
from disconnect_fanout.domain.delivery import DeliveryState

app = typer.Typer(no_args_is_help=True, help="Deliveries: the history of who was notified what.")
app.command()(balance)
app.command()(replay)

_COLUMNS = (
    "delivery_id", "event_id", "platform_id", "state", "attempts", "last_result", "last_status",
    "created_at", "next_at", "settled_at",
)  # fmt: skip


@app.command("list")
@filtered
def list_(
    *,
    state: Annotated[
        list[DeliveryState] | None, typer.Option("--state", help="May be given repeatedly.")
    ] = None,
    wanted: Wanted,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""List deliveries, the newest first.

    \b
    Examples:
      fanout deliveries list --user alice@example.com
      fanout deliveries list --platform plat_luma --status 5xx --since 2h -o jsonl
    """

    async def work() -> list[DeliveryRecord]:
        async with reading() as session:
            chosen = await wanted.chosen(session, *(state or ()))
            await require_known(session.database, chosen)
            return await DeliveryHistory(session.database, session.vault).deliveries(
                chosen, limit + 1
            )

    show_list(first(limit, execute(work())), output, _COLUMNS)


@app.command()
def show(
    *,
    delivery_id: Annotated[str, typer.Argument(metavar="ID", help="The webhook-id: wh_del_….")],
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Show one delivery with every attempt, and its request as a command to copy.

    The command names the user, and holds no signature.

    \b
    Example:
      fanout deliveries show wh_del_5d41402abc4b2a76b9719d911017c592
    """

    async def work() -> tuple[DeliveryStory, str | None]:
        async with reading() as session:
            story = await DeliveryHistory(session.database, session.vault).delivery(delivery_id)
            return story, await curl_of(session, story)

    show_story(*execute(work()), output)
