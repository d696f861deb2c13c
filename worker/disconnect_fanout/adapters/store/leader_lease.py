"""Leader leases: what one process at a time does for the whole installation."""

from sqlalchemy import or_

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import duties
from disconnect_fanout.domain.instant import span_ms

_NOBODY_MS = span_ms(86_400.0)
"""Nobody holds a lease for so long: the database's clock has gone back since, or it is nonsense."""


class LeaderLease:
    """Hands leader leases out, for a limited time by the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hold(self, name: str, holder: str, for_s: float) -> bool:
        """Take the lease, or hold on to it; tell whether it is the holder's for so long from now.

        Raises:
            StoreUnreachable: it may be held or not; what is held ends by itself.
        """
        until = self._database.now_ms + span_ms(for_s)
        insert = self._database.insert(duties).values(name=name, holder=holder, until=until)
        statement = insert.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": insert.excluded.holder, "until": insert.excluded.until},
            where=or_(
                duties.c.holder == holder,
                duties.c.until <= self._database.now_ms,
                duties.c.until > self._database.now_ms + _NOBODY_MS,
            ),
        ).returning(duties.c.name)
        async with self._database.intend() as connection:
            return (await connection.execute(statement)).first() is not None
