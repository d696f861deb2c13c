"""The one way to change rows of ``deliveries``: with all that follows from it."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.rows.attempts import write_cut_off
from disconnect_fanout.adapters.store.rows.locked import save
from disconnect_fanout.adapters.store.rows.replay_items import close_items
from disconnect_fanout.policy.transition import Transition


async def write(
    connection: AsyncConnection, database: Database, changes: Sequence[Transition]
) -> None:
    """Write rows that were locked in this transaction, what was cut off, and what has ended.

    The order is that of ``SqlLedger``: deliveries, attempts, replay items.
    """
    await save(connection, [one.after for one in changes])
    await write_cut_off(connection, database, changes)
    await close_items(connection, changes)
