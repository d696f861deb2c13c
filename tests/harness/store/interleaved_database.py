"""A real database between whose transactions something else happens, exactly there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database


class InterleavedDatabase(Database):
    """Lets something happen before the transaction with a given number, counted from 1.

    Args:
        before: what happens, by the number of the transaction that has to wait for it.
    """

    def __init__(self, url: str, before: dict[int, Callable[[], Awaitable[None]]]) -> None:
        super().__init__(url)
        self._before = before
        self._count = 0

    @asynccontextmanager
    async def record(self) -> AsyncIterator[AsyncConnection]:
        self._count += 1
        happening = self._before.get(self._count)
        if happening is not None:
            await happening()
        async with super().record() as connection:
            yield connection
