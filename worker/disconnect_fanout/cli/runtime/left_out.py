"""What this command could not show: named in the end, with exit code 1."""

from contextvars import ContextVar

from disconnect_fanout.cli.screen.output import say
from disconnect_fanout.flow.left_out import LeftOutRow

_rows: ContextVar[dict[LeftOutRow, None]] = ContextVar("left_out")


def begin() -> None:
    """Forget what a command before this one left out."""
    _rows.set({})


def leave_out(row: LeftOutRow) -> None:
    """Note a row, once."""
    _rows.get()[row] = None


def named() -> bool:
    """Name what was left out; tell whether anything was."""
    rows = _rows.get()
    for row in rows:
        say(f"fanout: {row.table} {row.id} can't be read and is left alone: {row.what}")
    return bool(rows)
