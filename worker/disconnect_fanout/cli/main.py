"""``fanout``: the commands put together, and their failures turned into exit codes."""

import logging
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from disconnect_fanout import __version__
from disconnect_fanout.cli import (
    check,
    deliveries,
    dlq,
    events,
    init,
    links,
    listen,
    migrate,
    platforms,
    publish,
    rejected,
    run,
)
from disconnect_fanout.cli.failure import failure
from disconnect_fanout.cli.output import say, show_text

app = typer.Typer(
    name="fanout",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (init.init, run.run, migrate.migrate, check.check, publish.publish, listen.listen):
    app.command()(verb)
for name, group in (
    ("platforms", platforms.app),
    ("links", links.app),
    ("events", events.app),
    ("deliveries", deliveries.app),
    ("dlq", dlq.app),
    ("rejected", rejected.app),
):
    app.add_typer(group, name=name)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
    if wanted:
        show_text(f"disconnect-fanout {__version__}")
        raise typer.Exit


@app.callback()
def fanout(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    r"""Tell every linked platform, provably and once, that a user's calendar connection ended.

    \b
    First steps:
      fanout init && fanout migrate && fanout check
      fanout platforms add plat_luma --name Luma --url https://luma.example/hook
      fanout links add --email alice@example.com --platform plat_luma
      fanout run
    """


def main(args: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        args: the command line without the program's name; by default this process's.

    Returns:
        The exit code.
    """
    _hush()
    try:
        result = app(list(sys.argv[1:] if args is None else args), standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:
        expected = failure(error)
        if expected is None:
            raise  # a bug: its traceback is what whoever mends it needs
        code, lines = expected
        for line in lines:
            say(f"fanout: {line}")
        return code
    return result if isinstance(result, int) else 0


def _hush() -> None:
    """Keep the AMQP client from printing what its exceptions say anyway; `run` sets up its logs."""
    for name in ("aio_pika", "aiormq"):
        logging.getLogger(name).addHandler(logging.NullHandler())
