"""The secret keys in use, by their fingerprints: whoever seals with a key notes it first.

So a process knows at once that it lacks a key, and what none of the keys in use opens is damaged.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.key_tables import secret_keys
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.domain.instant import from_ms, span_ms
from disconnect_fanout.flow.outage import SecretKeyMissing, StoreUnreachable
from disconnect_fanout.policy.secret_key import SEEN_EVERY_S, KeyInUse, lacking, words

_LOOK_EVERY_S = 1.0


class SecretKeys:
    """What the database and this process know of each other's keys."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._mine = vault.fingerprints

    async def run(self) -> None:
        """Look every second, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            with suppress(StoreUnreachable):
                await self.look()

    async def look(self) -> None:
        """Tell the database's health what this process lacks, and note the key that it seals with.

        Noted again and again, so that nobody takes the key for one that may go.
        """
        try:
            await self._note()
        finally:  # a full disk takes no note, and what lacks is said all the same
            await self.missing()

    async def _note(self) -> None:
        first = secret_keys.c.fingerprint == self._mine[0]
        fresh = secret_keys.c.seen_at > self._database.now_ms - span_ms(SEEN_EVERY_S)
        async with self._database.read() as connection:
            seen = (await connection.execute(select(secret_keys).where(first, fresh))).first()
        if seen is None:
            async with self._database.record() as connection:
                await note_key(connection, self._database, self._mine[0])

    async def missing(self) -> str | None:
        """Say which keys in use this process lacks; None if it has all."""
        missing = words(lacking(await self.in_use(), self._mine))
        self._database.health.lacking_key = missing
        return missing

    async def in_use(self) -> Sequence[KeyInUse]:
        """Return the keys in use, the oldest first."""
        async with self._database.read() as connection:
            return await _in_use(connection)

    async def others_seen_since(self, at_ms: int) -> list[str]:
        """Return the fingerprints of keys other than the first with which somebody still seals."""
        others = secret_keys.c.fingerprint != self._mine[0]
        seen = select(secret_keys.c.fingerprint).where(others, secret_keys.c.seen_at >= at_ms)
        async with self._database.read() as connection:
            return list((await connection.execute(seen)).scalars())

    async def retire(self, before_ms: int) -> list[str]:
        """Forget the other keys that nobody has sealed with since; return their fingerprints."""
        others = secret_keys.c.fingerprint != self._mine[0]
        gone = delete(secret_keys).where(others, secret_keys.c.seen_at < before_ms)
        async with self._database.record() as connection:
            found = await connection.execute(gone.returning(secret_keys.c.fingerprint))
            return sorted(found.scalars())


async def note_key(connection: AsyncConnection, database: Database, fingerprint: str) -> None:
    """Note a key as in use, in the transaction in which something is sealed with it, or before."""
    new = database.insert(secret_keys).values(
        fingerprint=fingerprint, used_since=database.now_ms, seen_at=database.now_ms
    )
    seen = {"seen_at": database.now_ms}
    await connection.execute(new.on_conflict_do_update(index_elements=["fingerprint"], set_=seen))


async def require_keys(connection: AsyncConnection, seals: Seals) -> None:
    """Tell a row that is damaged from one whose key is not here, after it could not be opened.

    Raises:
        SecretKeyMissing: a key in use is not here, so nothing can be said of the row.
    """
    missing = words(lacking(await _in_use(connection), seals.fingerprints))
    if missing is not None:
        raise SecretKeyMissing(missing)


async def _in_use(connection: AsyncConnection) -> Sequence[KeyInUse]:
    rows = await connection.execute(select(secret_keys).order_by(secret_keys.c.used_since))
    return [
        KeyInUse(one.fingerprint, from_ms(one.used_since), from_ms(one.seen_at)) for one in rows
    ]
