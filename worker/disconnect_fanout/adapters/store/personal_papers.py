"""What is kept about a person beside links and events.

Credentials, disconnects that are not published yet, and the ids of connects that were learnt.
"""

from sqlalchemy import ColumnElement, Table, delete, func, select, update

from disconnect_fanout.adapters.store.api_tables import credentials, outbox
from disconnect_fanout.adapters.store.connects import connects
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
        self._learnt = connects.c.user_hash == user

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
        """Remove their credentials; a connect that comes again must still be known."""
        emptied = update(connects).where(self._learnt).values(user_hash=None, content_hash=None)
        async with self._database.record() as connection:
            await connection.execute(delete(credentials).where(self._credentials))
            await connection.execute(emptied)

    async def _count(self, table: Table, which: ColumnElement[bool]) -> int:
        counted = select(func.count()).select_from(table).where(which)
        async with self._database.read() as connection:
            return int((await connection.execute(counted)).scalar_one())
