"""Links whose Google id can't be one: the owner's SQL wrote it, or nobody refused it then."""

from sqlalchemy import func, select

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.links.plaintext_search import link_columns, written
from disconnect_fanout.adapters.store.links.seals import NO_GOOGLE_ID
from disconnect_fanout.adapters.store.schema.tables import clear_google_id, links
from disconnect_fanout.domain.google_id import is_google_id

_MOST_CLEAR = 1000  # more are not sealed yet; they are counted when they are


async def odd_google_ids(database: Database) -> int:
    """Return how many links there are that their address alone can match."""
    sealed = select(func.count()).where(links.c.google_hash == NO_GOOGLE_ID, ~clear_google_id)
    written_since = select(*link_columns(database)).where(clear_google_id).limit(_MOST_CLEAR)
    async with database.read() as connection:
        count = int((await connection.execute(sealed)).scalar_one())
        rows = await connection.execute(written_since)
        found = [google_id for row in rows if (google_id := written(row)[1]) is not None]
    return count + sum(not is_google_id(one) for one in found)
