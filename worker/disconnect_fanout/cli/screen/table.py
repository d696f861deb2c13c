"""Tables for people: aligned, quiet, the state of things in colour."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

_STYLES = {
    "delivered": "green",
    "active": "green",
    "done": "green",
    "ok": "green",
    "pending": "yellow",
    "paused": "yellow",
    "warning": "yellow",
    "running": "cyan",
    "dead": "red",
    "disabled": "red",
    "no_recipients": "yellow",
}


def listing(rows: Sequence[Any], columns: Sequence[str] = ()) -> RenderableType:
    """Return a table of dataclasses, one a row; a column that says nothing is left out."""
    wanted = columns or [one.name for one in fields(rows[0])]
    names = [name for name in wanted if any(getattr(row, name) is not None for row in rows)]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in names:
        numeric = all(_is_number(getattr(row, name)) for row in rows)
        table.add_column(
            Text(name.replace("_", " ")),
            justify="right" if numeric else "left",
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(cell(getattr(row, name)) for name in names))
    return table


def card(thing: Any) -> RenderableType:  # noqa: ANN401 - any dataclass
    """Return one dataclass as names and values, and what it holds as tables below."""
    grid = Table(box=None, show_header=False, pad_edge=False)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    below: list[RenderableType] = []
    for one in fields(thing):
        value = getattr(thing, one.name)
        if isinstance(value, tuple) and value and is_dataclass(value[0]):
            below += [Text(), Text(one.name.replace("_", " "), style="bold"), listing(value)]
        else:
            grid.add_row(Text(one.name.replace("_", " ")), cell(value))
    return Group(grid, *below)


def cell(value: object) -> Text:  # noqa: PLR0911 - one for each kind of value
    """Return a value as a person reads it."""
    match value:
        case None | ():
            return Text("-", style="dim")
        case bool():
            return Text("yes" if value else "no")
        case datetime():
            text = value.astimezone(UTC).isoformat(sep=" ", timespec="seconds")
            return Text(text.replace("+00:00", "Z"))
        case float():
            return Text(f"{value:g}")
        case dict():
            return cell(tuple(f"{name} {count}" for name, count in value.items()))
        case tuple():
            return Text(_visible(", ".join(str(one) for one in value)))
        case _:
            return Text(_visible(str(value)), style=_STYLES.get(str(value), ""))


def _visible(text: str) -> str:
    """Show control characters instead of obeying them: an answer's excerpt is a stranger's."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
