"""``fanout dlq``: dead letters, listed, shown, replayed."""

from typing import Annotated

import typer

from disconnect_fanout.adapters.store.deliveries.history import DeliveryHistory
from disconnect_fanout.adapters.store.deliveries.known_names import require_known
from disconnect_fanout.adapters.store.deliveries.record import DeadRecord, DeadStory
from disconnect_fanout.cli.arguments.filters import LimitOption, Wanted, filtered, first
from disconnect_fanout.cli.commands.deliveries.curl import curl_of, show_story
from disconnect_fanout.cli.commands.dlq.counts import groups, stats
from disconnect_fanout.cli.commands.dlq.discard import discard
from disconnect_fanout.cli.commands.dlq.export import export
from disconnect_fanout.cli.commands.dlq.replay import replay
from disconnect_fanout.cli.runtime.session import execute, reading
from disconnect_fanout.cli.screen.output import Output, OutputOption, show_list
from disconnect_fanout.domain.delivery import DeliveryState

app = typer.Typer(
    no_args_is_help=True, help="Dead letters: deliveries that ended undelivered and wait for you."
)
for command in (groups, stats, replay, discard, export):
    app.command()(command)


@app.command("list")
@filtered
def list_(
    *,
    wanted: Wanted,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""List open dead letters, the newest first.

    \b
    Examples:
      fanout dlq list
      fanout dlq list --platform plat_luma --why exhausted --since 2h -o jsonl
    """

    async def work() -> list[DeadRecord]:
        async with reading() as session:
            chosen = await wanted.chosen(session, DeliveryState.DEAD)
            await require_known(session.database, chosen)
            return await DeliveryHistory(session.database, session.vault).dead_letters(
                chosen, limit + 1
            )

    show_list(first(limit, execute(work())), output)


@app.command()
def show(
    *,
    delivery_id: Annotated[str, typer.Argument(metavar="ID", help="The webhook-id: wh_del_….")],
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Show one open dead letter with every attempt, and its request as a command to copy.

    The command names the user, and holds no signature.

    \b
    Example:
      fanout dlq show wh_del_5d41402abc4b2a76b9719d911017c592
    """

    async def work() -> tuple[DeadStory, str | None]:
        async with reading() as session:
            story = await DeliveryHistory(session.database, session.vault).dead_letter(delivery_id)
            return story, await curl_of(session, story)

    show_story(*execute(work()), output)
