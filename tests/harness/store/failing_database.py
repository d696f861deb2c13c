"""A real database that fails on demand, at the two places where it matters."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum

from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.flow.outage import StoreUnreachable


class Cut(Enum):
    """Where the connection is lost."""

    BEFORE = "before"  # nothing is written
    ANSWER = "answer"  # the commit is done, its answer never comes


class FailingDatabase(Database):
    """Fails as ``cuts`` says, one transaction after the other, then works."""

    def __init__(self, url: str, *cuts: Cut) -> None:
        super().__init__(url)
        self.cuts = list(cuts)

    @asynccontextmanager
    async def intend(self) -> AsyncIterator[AsyncConnection]:
        cut = self._next()
        async with super().intend() as connection:
            yield connection
        _lose(cut)

    @asynccontextmanager
    async def record(self) -> AsyncIterator[AsyncConnection]:
        cut = self._next()
        async with super().record() as connection:
            yield connection
        _lose(cut)

    def _next(self) -> Cut | None:
        cut = self.cuts.pop(0) if self.cuts else None
        if cut is Cut.BEFORE:
            raise StoreUnreachable("cut before")
        return cut


def _lose(cut: Cut | None) -> None:
    if cut is Cut.ANSWER:
        error = StoreUnreachable("the answer was lost")
        error.maybe_done = True
        raise error
