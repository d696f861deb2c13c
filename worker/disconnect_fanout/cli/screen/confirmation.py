"""Asking before what can't be undone: at a terminal, or certain by ``--yes``; never a guess.

The question goes to standard error, so that standard output holds data and nothing else.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from disconnect_fanout.cli.screen.output import say
from disconnect_fanout.cli.usage_error import UsageError

YesOption = Annotated[bool, typer.Option("--yes", help="Don't ask.")]
_YES = frozenset({"y", "yes"})
_NO = frozenset({"", "n", "no"})


def require_terminal(*, yes: bool, otherwise: str = "--yes") -> None:
    """Refuse before anything is read or changed if nobody can be asked.

    Args:
        yes: the caller is certain.
        otherwise: the options that would do.

    Raises:
        UsageError: standard input is closed, a file or a pipe; what comes through it is no person.
    """
    if not (yes or _at_terminal()):
        raise UsageError(f"without a terminal to ask at, give {otherwise}")


def confirmed(question: str, *, yes: bool) -> bool:
    """Tell whether the person wants it; without an answer they don't.

    Raises:
        UsageError: nobody can be asked.
        typer.Abort: Ctrl-C, or the end of the input.
    """
    require_terminal(yes=yes)
    while not yes:
        match _answer(f"{question} [y/N]: "):
            case word if word in _YES:
                return True
            case word if word in _NO:
                return False
            case _:
                say("please answer y or n")
    return True


def _answer(prompt: str) -> str:
    """Read a line; ``input`` would write on standard output."""
    with _interruptible():
        try:
            sys.stderr.write(prompt)
            sys.stderr.flush()
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            line = ""
    if not line:
        say("")
        raise typer.Abort
    return line.strip().lower()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let the first Ctrl-C end the wait: an event loop would only note it, and go on waiting."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _at_terminal() -> bool:
    """Python has no standard input at all where it was closed before the start."""
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except ValueError:  # closed since
        return False
