"""What the HTTP API keeps about a person: credentials, and events that are not published yet."""

from sqlalchemy import ColumnElement, Table, delete, func, select

from disconnect_fanout.adapters.store.api_tables import credentials, outbox
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.sealed_event import Seals


class PersonalPapers:
    """Counts and removes them.

    Args:
        email: case-folded.
    """

    def __init__(self, database: Database, seals: Seals, email: str) -> None:
        self._database = database
        user = seals.text_hash(email)
        self._credentials = credentials.c.user_hash == user
        self._promised = outbox.c.user_hash == user

    async def credentials(self) -> int:
        """Return how many credentials there are."""
        return await self._count(credentials, self._credentials)

    async def promised(self) -> int:
        """Return how many events wait to be published."""
        return await self._count(outbox, self._promised)

    async def discard(self) -> int:
        """Publish nothing more about them; return how many events that were."""
        async with self._database.record() as connection:
            return (await connection.execute(delete(outbox).where(self._promised))).rowcount

    async def remove(self) -> None:
        """Remove their credentials."""
        async with self._database.record() as connection:
            await connection.execute(delete(credentials).where(self._credentials))

    async def _count(self, table: Table, which: ColumnElement[bool]) -> int:
        counted = select(func.count()).select_from(table).where(which)
        async with self._database.read() as connection:
            return int((await connection.execute(counted)).scalar_one())
