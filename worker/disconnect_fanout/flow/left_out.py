"""Rows that a command has left out of what it shows, because they can't be read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """One row, and what is wrong with it; it names no user.

    Attributes:
        id: its primary key, as an operator types it.
        what: the column and the problem.
    """

    table: str
    id: str
    what: str


Observe: TypeAlias = Callable[[LeftOutRow], None]


class LeftOut:
    """Passes them on.

    Attributes:
        observe: who hears of each; nobody at first.
    """

    def __init__(self) -> None:
        self.observe: Observe = lambda _row: None

    def note(self, row: LeftOutRow) -> None:
        """Say that a row was left out."""
        self.observe(row)
