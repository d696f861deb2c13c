"""Does the database do for us what a worker needs of it? Asked on the way that the work takes."""

from sqlalchemy import select, update

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import installation

_COUNTED = update(installation).values(flushes=installation.c.flushes + 1)


async def try_out(database: Database) -> None:
    """Read, and commit in both ways; what is written is a count of such commits.

    Raises:
        StoreUnreachable: it does not answer, or takes no commit.
        StoreRefuses: it refuses.
    """
    async with database.read() as connection:
        await connection.execute(select(installation.c.flushes))
    for transaction in (database.intend, database.record):
        async with transaction() as connection:
            await connection.execute(_COUNTED)
