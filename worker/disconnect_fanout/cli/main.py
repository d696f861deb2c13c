"""``fanout``: the commands put together, and their failures turned into exit codes."""

import inspect
import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from pkgutil import iter_modules
from typing import Annotated

import typer

import disconnect_fanout
from disconnect_fanout.cli import commands
from disconnect_fanout.cli.command_summary import add_summary
from disconnect_fanout.cli.exit_code import ExitCode
from disconnect_fanout.cli.runtime import left_out
from disconnect_fanout.cli.runtime.invocation import remember
from disconnect_fanout.cli.screen.output import say, show_text
from disconnect_fanout.cli.usage_error import UsageError


def main(args: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        args: the command line without the program's name; by default this process's.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if args is None else args)
    _hush()
    left_out.begin()
    try:
        _require_text(given)
        remember(given)
        result = assembled(given)(given, standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:
        # What can fail is known by types out of the whole program: nobody waits for those in vain.
        from disconnect_fanout.cli.failure import failure, unwritable  # noqa: PLC0415

        expected = failure(error) or unwritable(error)
        if expected is None:
            raise  # a bug: its traceback is what whoever mends it needs
        code, lines = expected
        for line in lines:
            say(f"fanout: {line}")
        left_out.named()
        return code
    code = result if isinstance(result, int) else ExitCode.DONE
    return ExitCode.SOME_FAILED if left_out.named() and code == ExitCode.DONE else code


def assembled(args: Sequence[str], *, in_full: bool = False) -> typer.Typer:
    """Return the command line: the one command that is called, or what help says of all.

    A verb's imports take longer than most verbs do, so nobody waits for another's.

    Args:
        args: without the program's name.
        in_full: all commands as they are.
    """
    listed = {_name(one.name): one for one in iter_modules(commands.__path__)}
    called = set(args[:1]) & {*listed, "--version"}
    summary = not in_full and listed.keys().isdisjoint(args)
    app = typer.Typer(
        name="fanout",
        context_settings={"help_option_names": ["-h", "--help"]},
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback(help=_help(_fanout))(_fanout)
    for name, one in listed.items():
        if called and name not in called:
            continue
        room = f"{commands.__name__}.{one.name}"
        room = f"{room}.app" if one.ispkg else room
        if summary:
            add_summary(app, name, room)
            continue
        module = import_module(room)
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
            _unwrap_examples(module.app)
        else:
            app.command(name)(getattr(module, one.name))
    _unwrap_examples(app)
    return app


def _name(module: str) -> str:
    return module.replace("_", "-")


def _unwrap_examples(app: typer.Typer) -> None:
    for command in app.registered_commands:
        command.help = _help(command.callback)


def _help(command: object) -> str:
    """Return a docstring as typer wants it: a paragraph a line, examples marked by a backspace."""
    paragraphs = (inspect.getdoc(command) or "").split("\n\n")
    return "\n\n".join(
        "\b" + one.removeprefix("\\b") if one.startswith("\\b") else " ".join(one.split())
        for one in paragraphs
    )


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
    if wanted:
        show_text(f"disconnect-fanout {disconnect_fanout.__version__}")
        raise typer.Exit


def _fanout(
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


def _require_text(args: Sequence[str]) -> None:
    """Refuse what no command can mean: bytes that are no text, and the value of an unset variable.

    ``--event "$EVENT"`` without an ``EVENT`` would look for the event without a name.
    """
    for before, one in pairwise(["", *args]):
        if any("\ud800" <= char <= "\udfff" for char in one):
            raise UsageError(f"{one!a} is not UTF-8")
        if not one:
            raise UsageError(f"{before if before.startswith('-') else 'an argument'} is empty")
        if one.startswith("--") and one.endswith("="):
            raise UsageError(f"{one[:-1]} is empty")


def _hush() -> None:
    """Keep the AMQP client from printing what its exceptions say anyway; `run` sets up its logs."""
    for name in ("aio_pika", "aiormq"):
        logging.getLogger(name).addHandler(logging.NullHandler())
