"""How commands speak: data on stdout as a table, JSON or JSON lines; everything else on stderr."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from disconnect_fanout.cli.screen.standard_output import standard_output

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_JSON = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
_PIPE_WIDTH = 240  # nothing is cut or folded for a program that reads tables


class Output(StrEnum):
    """The forms of ``-o``."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


OutputOption = Annotated[
    Output, typer.Option("-o", "--output", help="How data is printed on standard output.")
]


def show_list(rows: Sequence[Any], output: Output, columns: Sequence[str] = ()) -> None:
    """Print dataclasses: one array, or one object a line.

    Args:
        rows: all of one kind.
        output: the form.
        columns: fields that the table shows, in order; by default all of them.
    """
    match output:
        case Output.TABLE:
            if rows:
                from disconnect_fanout.cli.screen.table import listing  # noqa: PLC0415 - see console

                _draw(listing(rows, columns))
            else:
                say("nothing found")
        case Output.JSON:
            _write(orjson.dumps(list(rows), option=_JSON | orjson.OPT_INDENT_2))
        case Output.JSONL:
            for row in rows:
                _write(orjson.dumps(row, option=_JSON))


def show_one(thing: Any, output: Output) -> None:  # noqa: ANN401 - any dataclass
    """Print one dataclass as one object."""
    match output:
        case Output.TABLE:
            from disconnect_fanout.cli.screen.table import card  # noqa: PLC0415 - see console

            _draw(card(thing))
        case Output.JSON:
            _write(orjson.dumps(thing, option=_JSON | orjson.OPT_INDENT_2))
        case Output.JSONL:
            _write(orjson.dumps(thing, option=_JSON))


def show_text(text: str) -> None:
    """Print a line of data as it is."""
    _emit(f"{text}\n")


def say(text: str) -> None:
    """Tell the person at the terminal something that is not data."""
    if sys.stderr is None:
        return
    with suppress(OSError):  # nobody is there to read it, which is no reason to end
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def console(*, stderr: bool = False) -> "Console":
    """Return a console that colours only what a terminal shows, whatever ``FORCE_COLOR`` says."""
    from rich.console import Console  # noqa: PLC0415 - machines don't wait for what draws

    stream = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty()
    return Console(
        file=stream,
        force_terminal=terminal,
        width=None if terminal else _PIPE_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _draw(thing: "RenderableType") -> None:
    with standard_output():  # even a capture touches it at its end
        target = console()
        with target.capture() as drawn:
            target.print(thing)
    _emit(drawn.get())


def _write(line: bytes) -> None:
    _emit(f"{line.decode()}\n")


def _emit(text: str) -> None:
    """Write and flush; what the encoding does not know is escaped: a name must end no command."""
    with standard_output() as out:
        encoding = out.encoding or "utf-8"
        out.write(text.encode(encoding, "backslashreplace").decode(encoding))
