"""What is kept about a person beside links and events.

Credentials, disconnects that are not published yet, the ids of connects that were learnt, and the
answers that the API gives again.
"""

from sqlalchemy import ColumnElement, Table, delete, func, select, update

from disconnect_fanout.adapters.store.api_tables import answers, credentials, outbox
from disconnect_fanout.adapters.store.connects import connects
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.remembered_answer import RememberedAnswers
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.unreadable_rows import note_gone


class PersonalPapers:
    """Counts and removes them.

    Args:
        email: case-folded.
    """

    def __init__(self, database: Database, seals: Seals, email: str) -> None:
        self._database = database
        self._email = email
        self._answers = RememberedAnswers(database, seals)
        user = seals.text_hash(email)
        self._credentials = credentials.c.user_hash == user
        self._promised = outbox.c.user_hash == user
        self._learnt = connects.c.user_hash == user
        self._answered = answers.c.user_hash == user

    async def credentials(self) -> int:
        """Return how many credentials there are."""
        return await self._count(credentials, self._credentials)

    async def promised(self) -> int:
        """Return how many events wait to be published."""
        return await self._count(outbox, self._promised)

    async def remembered(self) -> int:
        """Return how many connects and answers are known to be about them."""
        learnt = await self._count(connects, self._learnt)
        return learnt + await self._count(answers, self._answered)

    async def discard(self) -> int:
        """Publish nothing more about them; return how many events that were."""
        async with self._database.record() as connection:
            gone = delete(outbox).where(self._promised).returning(outbox.c.number)
            names = [str(number) for number in (await connection.execute(gone)).scalars()]
            await note_gone(connection, self._database, "outbox", names)
        return len(names)

    async def remove(self) -> None:
        """Remove their credentials; a connect or a request that comes again must still be known."""
        emptied = update(connects).where(self._learnt).values(user_hash=None, content_hash=None)
        async with self._database.record() as connection:
            await connection.execute(delete(credentials).where(self._credentials))
            await connection.execute(emptied)
        await self._answers.forget(self._email)

    async def _count(self, table: Table, which: ColumnElement[bool]) -> int:
        counted = select(func.count()).select_from(table).where(which)
        async with self._database.read() as connection:
            return int((await connection.execute(counted)).scalar_one())
