"""Rows that were set aside: each is said once by this process, and counted."""

from disconnect_fanout.domain.bad_row import BadRow
from disconnect_fanout.flow.fact import Observe, RowSetAside

_MOST_REMEMBERED = 10_000


class SetAside:
    """Remembers which rows it has spoken of: they are met again with every look at them.

    Attributes:
        observe: who hears of it; nobody at first, and nobody where a command says it itself.
    """

    def __init__(self) -> None:
        self.observe: Observe = lambda _fact: None
        self._said: set[BadRow] = set()

    def note(self, row: BadRow) -> None:
        """Say that a row was set aside, unless that was said."""
        if row in self._said:
            return
        if len(self._said) >= _MOST_REMEMBERED:
            self._said.clear()
        self._said.add(row)
        self.observe(RowSetAside(row))
