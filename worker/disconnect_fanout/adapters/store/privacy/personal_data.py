"""What is kept about a person beside links and events.

Credentials, disconnects that are not published yet, the ids of connects that were learnt, and the
answers that the API gives again.
"""

from sqlalchemy import ColumnElement, Table, delete, func, or_, select, update

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.http_api.credentials import CredentialBook
from disconnect_fanout.adapters.store.http_api.remembered_answer import RememberedAnswers
from disconnect_fanout.adapters.store.privacy.unhashed import UnhashedRows
from disconnect_fanout.adapters.store.rows.user_match import match_events, match_unopened
from disconnect_fanout.adapters.store.schema.api_tables import answers, credentials, outbox
from disconnect_fanout.adapters.store.schema.connect_table import connects
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.domain.mailbox import mailbox
from disconnect_fanout.domain.old_spelling import old_spellings

_NOTHING = {"user_hash": None, "mailbox_hash": None, "content_hash": None}


class PersonalPapers:
    """Counts and removes them.

    Args:
        email: as anybody wrote it.
        unhashed: theirs that no hash finds.
    """

    def __init__(
        self, database: Database, seals: Seals, email: str, unhashed: UnhashedRows
    ) -> None:
        self._database = database
        self._seals = seals
        self._email = email
        self._unhashed = unhashed
        self._answers = RememberedAnswers(database, seals)
        self._answered = answers.c.user_hash == seals.text_hash(mailbox(email))
        self._credentials = CredentialBook(database, seals).of_user(email)
        # A namesake's connect that is emptied too is still known, and that is all it is there for.
        older = old_spellings(email)
        self._learnt = match_unopened(connects, seals, email, older).rows()

    async def credentials(self) -> int:
        """Return how many credentials there are."""
        return await self._count(credentials, await self._credited())

    async def promised(self) -> int:
        """Return how many events wait to be published."""
        return await self._count(outbox, await self._promised())

    async def remembered(self) -> int:
        """Return how many connects and answers are known to be about them."""
        learnt = await self._count(connects, self._learnt)
        return learnt + await self._count(answers, self._answered)

    async def discard(self) -> int:
        """Publish nothing more about them; return how many events that were."""
        theirs = await self._promised()
        async with self._database.record() as connection:
            gone = delete(outbox).where(theirs).returning(outbox.c.number)
            return len((await connection.execute(gone)).all())

    async def remove(self) -> None:
        """Remove their credentials; a connect or a request that comes again must still be known."""
        emptied = update(connects).where(self._learnt).values(_NOTHING)
        credited = await self._credited()
        async with self._database.record() as connection:
            await connection.execute(delete(credentials).where(credited))
            await connection.execute(emptied)
        await self._answers.forget(self._email)

    async def _promised(self) -> ColumnElement[bool]:
        theirs = (await match_events(self._database, self._seals, self._email, outbox)).rows()
        return or_(theirs, await self._unhashed.which(outbox))

    async def _credited(self) -> ColumnElement[bool]:
        return or_(self._credentials, await self._unhashed.which(credentials))

    async def _count(self, table: Table, which: ColumnElement[bool]) -> int:
        counted = select(func.count()).select_from(table).where(which)
        async with self._database.read() as connection:
            return int((await connection.execute(counted)).scalar_one())
