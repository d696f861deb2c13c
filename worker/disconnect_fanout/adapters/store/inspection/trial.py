"""Does the database do for us what a worker needs of it? Asked on the way that the work takes."""

from sqlalchemy import insert, select, update

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.platforms.open_breakers import open_breakers
from disconnect_fanout.adapters.store.schema.key_tables import secret_keys, unreadable_rows
from disconnect_fanout.adapters.store.schema.tables import duties, installation
from disconnect_fanout.flow.outage import DataRefused, StoreRefuses

_PROBE = "probe"
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


async def try_rows(database: Database) -> None:
    """Write what a worker writes beside events, and take it back: a trigger may refuse it.

    Raises:
        StoreUnreachable: it does not answer, or takes none.
        StoreRefuses: it refuses.
    """
    rows = (
        insert(duties).values(name=_PROBE, holder=_PROBE, until=0),
        insert(open_breakers).values(worker=_PROBE, platform_id=_PROBE, seen_at=0),
        insert(unreadable_rows).values(of_table=_PROBE, row=_PROBE, found_at=0),
        insert(secret_keys).values(fingerprint=_PROBE, used_since=0, seen_at=0),
    )
    try:
        async with database.intend() as connection:
            for row in rows:
                await connection.execute(row)
            await connection.rollback()
    except DataRefused as error:  # nothing is wrong with ours
        raise StoreRefuses(str(error), error.sqlstate) from None
