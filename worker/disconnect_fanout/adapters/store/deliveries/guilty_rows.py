"""Rows that the database refuses to change because of what they hold, found one by one.

A constraint or a trigger of the owner's, a count without a next one: whatever it is, it concerns
that row alone, and its neighbours are served. What refuses everything is no row's fault.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Sequence

from sqlalchemy import ColumnElement, select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.deliveries.due_rows import DUE
from disconnect_fanout.adapters.store.schema.tables import deliveries
from disconnect_fanout.domain.bad_row import BadRow, RowKind
from disconnect_fanout.flow.outage import DataRefused
from disconnect_fanout.policy.faults.blame import MANY

LEFT_ALONE_S = 60.0
"""The refusal can't be written into the row, so each process finds it out again."""


class GuiltyRows:
    """Deliveries that this process leaves alone for a while.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._until: dict[str, float] = {}

    @property
    def names(self) -> Collection[str]:
        """Those of this moment."""
        now = self._clock()
        self._until = {name: until for name, until in self._until.items() if until > now}
        return self._until.keys()

    async def first(self, limit: int, *which: ColumnElement[bool]) -> Sequence[str]:
        """Return the rows that a statement about so many would change, locking none."""
        wanted = select(deliveries.c.id).where(*which).order_by(DUE).limit(limit)
        async with self._database.read() as connection:
            return (await connection.execute(wanted)).scalars().all()

    async def sift(self, names: Sequence[str], change: Callable[[str], Awaitable[None]]) -> None:
        """Change rows singly; leave alone, and say, which are refused.

        Raises:
            DataRefused: so many are, and none is taken, that it is not theirs; none is left alone.
        """
        refused: dict[str, DataRefused] = {}
        for name in names:
            try:
                await change(name)
            except DataRefused as error:
                refused[name] = error
        if len(refused) == len(names) >= MANY:
            raise next(iter(refused.values()))
        for name, why in refused.items():
            self._until[name] = self._clock() + LEFT_ALONE_S
            what = f"the database refuses to change it: {why}"
            self._database.set_aside.note(BadRow(RowKind.DELIVERIES, name, what))
