"""A bar for work that takes its time."""

from typing import TYPE_CHECKING

from disconnect_fanout.cli.screen.output import console

if TYPE_CHECKING:
    from rich.progress import Progress


def progress_bar(*, counts: bool = False) -> "Progress":
    """Return a bar on standard error, shown only if that is a terminal.

    Args:
        counts: the task has a field of that name, which wraps in a narrow terminal.
    """
    # Imported here: commands that follow nothing share this module, and draw nothing.
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column  # noqa: PLC0415

    target = console(stderr=True)
    wrapped = TextColumn("{task.fields[counts]}", table_column=Column(no_wrap=False))
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        *((wrapped,) if counts else ()),
        console=target,
        disable=not target.is_terminal,
    )
