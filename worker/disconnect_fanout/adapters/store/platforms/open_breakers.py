"""Open breakers, as workers report them: state of a worker that operators want to see together."""

from collections.abc import Collection

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, String, Table, delete, or_

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import metadata

open_breakers = Table(
    "open_breakers",
    metadata,
    Column("worker", String(32), nullable=False),
    Column("platform_id", String(128), nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("worker", "platform_id"),
)

STALE_MS = 15_000
"""A worker reports every few seconds; who has not for so long is gone, and its breakers with it."""


class OpenBreakers:
    """Takes the reports of workers.

    Args:
        worker: who reports.
    """

    def __init__(self, database: Database, worker: str) -> None:
        self._database = database
        self._worker = worker
        self._reported = False

    async def report(self, platform_ids: Collection[str]) -> None:
        """Say which breakers are open here now; nothing is written while none is or was.

        Raises:
            StoreUnreachable: the next report says it again.
        """
        if not platform_ids and not self._reported:
            return
        stale = open_breakers.c.seen_at < self._database.now_ms - STALE_MS
        now = self._database.now_ms
        rows = [
            {"worker": self._worker, "platform_id": one, "seen_at": now}
            for one in sorted(platform_ids)
        ]
        async with self._database.intend() as connection:
            mine = open_breakers.c.worker == self._worker
            await connection.execute(delete(open_breakers).where(or_(mine, stale)))
            if rows:
                await connection.execute(self._database.insert(open_breakers).values(rows))
        self._reported = bool(rows)
