"""What version 0006 of the schema wrote: addresses hashed after full case folding, nothing else."""

import asyncio

from sqlalchemy import Table, func, insert, select, update
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.schema.api_tables import credentials, outbox
from disconnect_fanout.adapters.store.schema.connect_table import connects
from disconnect_fanout.adapters.store.schema.tables import events, links
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.identity import connect_hash
from disconnect_fanout.domain.instant import to_s
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.intent import Intent


class OlderVersion:
    """Writes on the same database, beside this version.

    Args:
        seals: with other keys than the world's, it writes what can't be opened.
    """

    def __init__(self, world: SqlWorld, seals: Seals | None = None) -> None:
        self._world = world
        self._seals = seals or world.seals

    async def link(self, *found: Link) -> None:
        """Note links, folded as ``fanout links add`` did; ``email`` is as somebody wrote it."""
        rows: list[dict[str, object]] = [
            {
                "user_hash": self._world.seals.text_hash(one.email.casefold()),
                "google_hash": one.google_id and self._world.seals.text_hash(one.google_id),
                "sealed": self._seals.seal_user(one.email.casefold(), one.google_id),
                "platform_id": one.platform_id,
                "linked_at": to_s(one.linked_at),
            }
            for one in found
        ]
        await self._insert(links, *rows)

    async def event(self, *intents: Intent) -> None:
        """Register events as its workers did."""
        await self._world.worker.events.register(intents)
        for event in (one.event for one in intents):
            old = update(events).where(events.c.id == event.id)
            hashed = self._world.seals.user_hash(event.user.email.casefold())
            async with self._world.database.record() as connection:
                await connection.execute(
                    old.values(user_hash=hashed, mailbox_hash=None, spelling=None)
                )

    async def promise(self, event: DisconnectEvent) -> None:
        """Put an event into the outbox."""
        row = {
            "event_id": event.id,
            "user_hash": self._world.seals.text_hash(event.user.email.casefold()),
            "sealed": self._seals.seal_event(event),
            "created_at": 0,
            "taken_until": 0,
        }
        await self._insert(outbox, row)

    async def credential(self, number: int, email: str) -> None:
        """Note a Google credential."""
        row = {
            "id": number,
            "type": "google_calendar",
            "user_id": number,
            "user_hash": self._world.seals.text_hash(email.casefold()),
            "sealed": self._seals.seal_user(email.casefold(), None),
            "invalid": False,
        }
        await self._insert(credentials, row)

    async def connect(self, event: ConnectEvent) -> None:
        """Remember a connect event."""
        row = {
            "id": event.id,
            "content_hash": self._world.seals.text_hash(connect_hash(event)),
            "user_hash": self._world.seals.text_hash(event.user.email.casefold()),
            "received_at": 0,
        }
        await self._insert(connects, row)

    async def looked_at(self, *, within: float = 60.0) -> None:
        """Wait until a worker has looked at every link."""
        left = select(func.count()).select_from(links).where(links.c.spelling.is_(None))
        async with asyncio.timeout(within):
            while True:
                async with self._world.database.read() as connection:
                    if not (await connection.execute(left)).scalar_one():
                        return
                await asyncio.sleep(0.1)

    async def _insert(self, table: Table, *rows: dict[str, object]) -> None:
        async with self._world.database.record() as connection:
            await connection.execute(insert(table), list(rows))
