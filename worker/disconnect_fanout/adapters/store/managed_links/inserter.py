"""The transaction in which connect events and their links are first written down."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.links.seals import SealedLinks
from disconnect_fanout.adapters.store.rows.taken import require_taken
from disconnect_fanout.adapters.store.schema.connect_table import connects
from disconnect_fanout.adapters.store.schema.tables import links
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.spelling import hash_columns
from disconnect_fanout.flow.intent import Registration
from disconnect_fanout.flow.links.store import Opening
from disconnect_fanout.policy.link_lifetime import same_start


class ConnectInserter:
    """Inserts what is new and tells what is not."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals
        self._links = SealedLinks(database, seals)
        self._insert = (
            database.insert(connects)
            .values(received_at=database.now_ms)
            .on_conflict_do_nothing()
            .returning(connects.c.id)
        )

    async def open(self, openings: Sequence[Opening]) -> Sequence[Registration]:
        """Write each connect once, with its link unless that very link is there."""
        first = {one.event.id: one for one in reversed(openings)}
        # Sorted, so that two workers with overlapping batches wait for each other in one order.
        rows = [self._row(first[event_id]) for event_id in sorted(first)]
        async with self._database.record() as connection:
            fresh = set((await connection.execute(self._insert, rows)).scalars())
            recorded = await self._recorded(connection, first)
            require_taken(connects.name, len(first), len(recorded))
            await self._open(connection, [first[event_id] for event_id in sorted(fresh)])
        return self._answers(openings, recorded, fresh)

    async def _recorded(
        self, connection: AsyncConnection, event_ids: Collection[str]
    ) -> Mapping[str, str | None]:
        wanted = select(connects.c.id, connects.c.content_hash)
        named = self._database.among(connects.c.id, event_ids)
        return {row.id: row.content_hash for row in await connection.execute(wanted.where(named))}

    async def _open(self, connection: AsyncConnection, openings: Sequence[Opening]) -> None:
        """Another event, or the owner of the directory, may have said the same."""
        if not openings:
            return
        emails = list({one.link.email for one in openings})
        there = list((await self._links.find(connection, emails)).values())
        rows = []
        for one in openings:
            if not any(same_start(one.link, known) for known in there):
                there.append(one.link)
                rows.append(self._links.columns(one.link))
        if rows:
            new = await connection.execute(insert(links).returning(links.c.id), rows)
            require_taken(links.name, len(rows), len(new.all()))

    def _answers(
        self,
        openings: Sequence[Opening],
        recorded: Mapping[str, str | None],
        fresh: Collection[str],
    ) -> Sequence[Registration]:
        """The first of several copies in one batch is new, the others are known."""
        new = set(fresh)
        answers: list[Registration] = []
        for one in openings:
            content = recorded[one.event.id]
            # Of a connect whose user was forgotten nothing is left to compare.
            if content is not None and content != self._seals.text_hash(one.content_hash):
                answers.append(Registration.CONFLICT)
            else:
                answers.append(Registration.NEW if one.event.id in new else Registration.KNOWN)
            new.discard(one.event.id)
        return answers

    def _row(self, one: Opening) -> dict[str, object]:
        return {
            "id": one.event.id,
            "content_hash": self._seals.text_hash(one.content_hash),
            **hash_columns(self._seals, one.event.user.email),
        }
