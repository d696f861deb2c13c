"""Erasing: what was removed also leaves the database's files, as far as that can be done.

Persons are stored sealed and under keyed hashes, so the bytes of removed rows name nobody. What was
once written in clear (links by the owner's SQL, answers by an earlier version) does, for as long as
the database leaves the bytes of removed rows where they were.
"""

from enum import StrEnum

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.privacy import postgres_erasure, sqlite_erasure

SMALL_BYTES = 128 * 1024 * 1024
"""What is rewritten unasked: a second or two, during which workers wait."""


class Erased(StrEnum):
    """What became of the bytes.

    ``complete``: gone. ``large``: they may be there, because rewriting that much was not asked for.
    ``not_owner``: likewise, because PostgreSQL lets only a table's owner rewrite it. ``blocked``:
    somebody else's transaction was in the way for too long.
    """

    COMPLETE = "complete"
    LARGE = "large"
    NOT_OWNER = "not_owner"
    BLOCKED = "blocked"


async def erase(database: Database, *, rewrite: bool) -> Erased:
    """Erase what was removed, while workers run.

    Args:
        database: whose rows were removed.
        rewrite: also where it takes long.

    Raises:
        StoreUnreachable: the database does not answer.
    """
    most = None if rewrite else SMALL_BYTES
    if database.file is not None:
        return Erased(await sqlite_erasure.erase(database.file, most))
    return Erased(await postgres_erasure.erase(database, most))
