"""``fanout platforms``: who is notified."""

import typer

from disconnect_fanout.adapters.store.platforms.registered import RegisteredPlatform
from disconnect_fanout.adapters.store.platforms.registry import PlatformRegistry
from disconnect_fanout.cli.arguments.platform_options import IdArgument
from disconnect_fanout.cli.commands.platforms import ping as platform_ping
from disconnect_fanout.cli.commands.platforms import registration as platform_registration
from disconnect_fanout.cli.runtime.audited import audited
from disconnect_fanout.cli.runtime.session import Session, execute, opened, reading
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_list, show_one

app = typer.Typer(
    no_args_is_help=True, help="Platforms: register, list, switch off and on, rotate secrets."
)
app.command()(platform_registration.add)
app.command()(platform_registration.update)
app.command("rotate-secret")(platform_registration.rotate_secret)
app.command("test")(platform_ping.ping)

_COLUMNS = (
    "id", "name", "state", "url", "links", "pending", "dead_letters", "open_breakers",
    "disabled_reason", "disabled_at", "disabled_by",
)  # fmt: skip


def registry(session: Session) -> PlatformRegistry:
    """Return the registered platforms."""
    return PlatformRegistry(session.database, session.vault)


@app.command("list")
def list_(output: OutputOption = Output.TABLE) -> None:
    r"""List the registered platforms, with their links, waiting deliveries and dead letters.

    \b
    Example:
      fanout platforms list
    """

    async def work() -> list[RegisteredPlatform]:
        async with reading() as session:
            return await registry(session).all()

    show_list(execute(work()), output, _COLUMNS)


@app.command()
def show(platform_id: IdArgument, output: OutputOption = Output.TABLE) -> None:
    r"""Show one platform; its secret is never shown again.

    \b
    Example:
      fanout platforms show plat_luma
    """

    async def work() -> RegisteredPlatform:
        async with reading() as session:
            return await registry(session).get(platform_id)

    show_one(execute(work()), output)


@app.command()
def enable(platform_id: IdArgument, output: OutputOption = Output.TABLE) -> None:
    r"""Tell a platform again that was disabled, by a 410 or by you.

    \b
    Example:
      fanout platforms enable plat_luma
    """
    found = _switch("enable", platform_id)
    show_one(found, output)
    if found.dead_letters:
        say(
            f"{found.dead_letters} open dead letters; "
            f"to send them: fanout dlq replay --platform {platform_id}"
        )


@app.command()
def disable(platform_id: IdArgument, output: OutputOption = Output.TABLE) -> None:
    r"""Stop telling a platform: what is for it becomes a dead letter, never silence.

    \b
    Example:
      fanout platforms disable plat_luma
    """
    show_one(_switch("disable", platform_id), output)


@app.command()
def pause(platform_id: IdArgument, output: OutputOption = Output.TABLE) -> None:
    r"""Hold a platform's deliveries, without attempts, until it is resumed.

    \b
    Example:
      fanout platforms pause plat_luma
    """
    show_one(_switch("pause", platform_id), output)


@app.command()
def resume(platform_id: IdArgument, output: OutputOption = Output.TABLE) -> None:
    r"""Let the deliveries of a paused platform go.

    \b
    Example:
      fanout platforms resume plat_luma
    """
    show_one(_switch("resume", platform_id), output)


@app.command()
def remove(platform_id: IdArgument, output: OutputOption = Output.TABLE) -> None:
    r"""Forget a platform and its secret. Its links stay; what waits for it becomes dead letters.

    \b
    Example:
      fanout platforms remove plat_luma
    """

    async def work() -> RegisteredPlatform:
        async with opened() as session, audited(session) as counts:
            platforms = registry(session)
            last = await platforms.get(platform_id)
            await platforms.remove(platform_id)
            counts["pending"] = last.pending
            return last

    last = execute(work())
    show_one(last, output)
    say(f"removed; {last.links} links stay, {last.pending} deliveries become dead letters")


def _switch(verb: str, platform_id: str) -> RegisteredPlatform:
    async def work() -> RegisteredPlatform:
        async with opened() as session, audited(session):
            platforms = registry(session)
            match verb:
                case "enable":
                    await platforms.enable(platform_id)
                case "disable":
                    await platforms.disable(platform_id)
                case "pause":
                    await platforms.pause(platform_id)
                case _:
                    await platforms.resume(platform_id)
            return await platforms.get(platform_id)

    return execute(work())
