"""Claims whose COMMIT was said and not answered: nobody knows whether the rows are ours.

If they are, nobody sends them, and everybody else would wait for the end of the lease. So the one
who claimed looks again, once the database answers, and gives back what carries his token.
"""

from collections.abc import Collection

from sqlalchemy import select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.rows.locked import lock_first, save
from disconnect_fanout.adapters.store.schema.tables import deliveries
from disconnect_fanout.policy.delivery_row import given_back


class UnheardClaims:
    """Of one worker, which has sent nothing of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tokens: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def note(self, delivery_ids: Collection[str], token: str) -> None:
        """Take note of a claim whose answer was lost."""
        self._tokens |= dict.fromkeys(delivery_ids, token)

    async def give_back(self) -> None:
        """Make due what is under our tokens. Whoever has claimed a row since keeps it.

        A row that is locked is left for the next time: the transaction that was lost may not have
        ended yet.

        Raises:
            StoreUnreachable: what was not given back is still noted.
        """
        ours = deliveries.c.id, self._tokens
        async with self._database.intend() as connection:
            rows = await lock_first(
                connection,
                self._database,
                self._database.among(*ours),
                order=deliveries.c.id,
                limit=len(self._tokens),
            )
            mine = [given_back(row) for row in rows if row.lease == self._tokens[row.id]]
            await save(connection, mine)
            names = select(deliveries.c.id).where(self._database.among(*ours))
            there = set((await connection.execute(names)).scalars())
        settled = {row.id for row in rows} | (self._tokens.keys() - there)
        self._tokens = {one: token for one, token in self._tokens.items() if one not in settled}
