"""Calendar credentials at rest: whose they are is sealed, and found by a keyed hash."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.rows.legible import legible
from disconnect_fanout.adapters.store.rows.user_match import match_unopened
from disconnect_fanout.adapters.store.schema.api_tables import credentials
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.secret_keys import note_key, require_keys
from disconnect_fanout.adapters.store.seals.spelling import hash_columns
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.domain.credential import Credential
from disconnect_fanout.domain.mailbox import mailbox, readable
from disconnect_fanout.domain.old_spelling import old_spellings
from disconnect_fanout.flow.left_out import LeftOutRow

_NOBODY = ("", None)
_SHOWN = ("type", "user_id", "team_id", "app_id", "invalid")
_UNOPENED = "sealed: no secret key in use opens it"


class CredentialBook:
    """Credentials in the database."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals

    async def write(self, page: Sequence[Credential]) -> None:
        """Note credentials in one transaction; one with a known id is replaced."""
        insert = self._database.insert(credentials)
        changed = {one.name: one for one in insert.excluded if one.name != "id"}
        upsert = insert.on_conflict_do_update(index_elements=["id"], set_=changed)
        async with self._database.record() as connection:
            await note_key(connection, self._database, self._seals.fingerprints[0])
            await connection.execute(upsert, [self._row(one) for one in page])

    async def all(self, limit: int) -> list[Credential]:
        """Return them in the order of their ids; of one that is damaged nobody knows whose it is.

        Raises:
            SecretKeyMissing: one is sealed with a key that is not here.
        """
        wanted = select(credentials).order_by(credentials.c.id).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
            shown = legible(self._database, credentials, rows, _SHOWN, self._flaw)
            return await self._opened(connection, shown)

    def _flaw(self, row: Row[Any]) -> str | None:
        """What is sealed with a key that is not here, or damaged, is another matter."""
        try:
            self._seals.open_user(row.sealed)
        except Unsealable:
            return None
        except UnreadableRow as error:
            return str(error)
        return None

    async def find(
        self, connection: AsyncConnection, *where: ColumnElement[bool]
    ) -> list[Credential]:
        """Return those that match, inside a transaction of the caller's.

        Raises:
            SecretKeyMissing: one is sealed with a key that is not here.
        """
        wanted = select(credentials).where(*where)
        return await self._opened(connection, (await connection.execute(wanted)).all())

    async def take(
        self, connection: AsyncConnection, *where: ColumnElement[bool]
    ) -> list[Credential]:
        """Delete those that match, inside a transaction of the caller's; return what they were.

        One that is damaged has no address, at which the caller may end the transaction.

        Raises:
            SecretKeyMissing: one is sealed with a key that is not here.
        """
        gone = delete(credentials).where(*where).returning(*credentials.c)
        return await self._opened(connection, (await connection.execute(gone)).all())

    def of_user(self, email: str) -> ColumnElement[bool]:
        """Return the condition that finds an address, as anybody wrote it.

        What an older version folded until it might be another's as well is not found: it is
        deleted by its number, by whoever knows that, or replaced.
        """
        box = mailbox(email)
        theirs = [one for one in old_spellings(email) if mailbox(one) == box]
        return match_unopened(credentials, self._seals, email, theirs).rows()

    async def _opened(
        self, connection: AsyncConnection, rows: Sequence[Row[Any]]
    ) -> list[Credential]:
        opened = []
        for row in rows:
            try:
                user = self._seals.open_user(row.sealed)
            except Unsealable:
                await require_keys(connection, self._seals)
                user = _NOBODY
                self._database.left_out.note(LeftOutRow(credentials.name, str(row.id), _UNOPENED))
            opened.append(_credential(row, user))
        return opened

    def _row(self, one: Credential) -> dict[str, Any]:
        return {
            "id": one.id,
            "type": one.type,
            "user_id": one.user_id,
            **hash_columns(self._seals, readable(one.email)),
            "sealed": self._seals.seal_user(one.email, one.google_id),
            "team_id": one.team_id,
            "app_id": one.app_id,
            "invalid": one.invalid,
        }


def _credential(row: Row[Any], user: tuple[str, str | None]) -> Credential:
    email, google_id = user
    return Credential(
        id=row.id,
        type=row.type,
        user_id=row.user_id,
        email=mailbox(email),
        google_id=google_id,
        team_id=row.team_id,
        app_id=row.app_id,
        invalid=row.invalid,
    )
