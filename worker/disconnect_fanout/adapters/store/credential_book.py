"""Calendar credentials at rest: whose they are is sealed, and found by a keyed hash."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.api_tables import credentials
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.adapters.store.spelling import hash_columns
from disconnect_fanout.adapters.store.user_match import match_unopened
from disconnect_fanout.domain.credential import Credential
from disconnect_fanout.domain.mailbox import mailbox, readable
from disconnect_fanout.domain.old_spelling import old_spellings


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
            await connection.execute(upsert, [self._row(one) for one in page])

    async def all(self, limit: int) -> list[Credential]:
        """Return them in the order of their ids.

        Raises:
            Unsealable: one was sealed with a key that is not configured.
        """
        wanted = select(credentials).order_by(credentials.c.id).limit(limit)
        async with self._database.read() as connection:
            return [self._open(row) for row in await connection.execute(wanted)]

    async def find(
        self, connection: AsyncConnection, *where: ColumnElement[bool]
    ) -> list[Credential]:
        """Return those that match, inside a transaction of the caller's.

        Raises:
            Unsealable: one was sealed with a key that is not configured.
        """
        wanted = select(credentials).where(*where)
        return [self._open(row) for row in await connection.execute(wanted)]

    async def take(
        self, connection: AsyncConnection, *where: ColumnElement[bool]
    ) -> list[Credential]:
        """Delete those that match, inside a transaction of the caller's; return what they were.

        Raises:
            Unsealable: one was sealed with a key that is not configured.
        """
        gone = delete(credentials).where(*where).returning(*credentials.c)
        return [self._open(row) for row in await connection.execute(gone)]

    def of_user(self, email: str) -> ColumnElement[bool]:
        """Return the condition that finds an address, as anybody wrote it.

        What an older version folded until it might be another's as well is not found: it is
        deleted by its number, by whoever knows that, or replaced.
        """
        box = mailbox(email)
        theirs = [one for one in old_spellings(email) if mailbox(one) == box]
        return match_unopened(credentials, self._seals, email, theirs).rows()

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

    def _open(self, row: Row[Any]) -> Credential:
        email, google_id = self._seals.open_user(row.sealed)
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
