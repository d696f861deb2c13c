"""Reads what an installation has recorded, behind its back: rows, letters, rejected events."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from tests.faults.ledger import Name, Recorded
from tests.harness.servers import amqp
from tests.harness.servers.vhost import Vhost

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import attempts, deliveries, events


@dataclass(frozen=True, slots=True)
class Rest:
    """Where things stand; a system at rest has nothing pending.

    Attributes:
        events: that are recorded.
        states: deliveries by state.
    """

    events: int
    states: Mapping[str, int]

    @property
    def pending(self) -> int:
        """Deliveries whose fate is open."""
        return self.states.get("pending", 0)

    @property
    def dead(self) -> int:
        """Open dead letters."""
        return self.states.get("dead", 0)


class Bookkeeper:
    """Looks, and changes nothing.

    Args:
        database_url: the same that the worker has, or one that leads to the same database.
    """

    def __init__(self, vhost: Vhost, database_url: str) -> None:
        self.vhost = vhost
        self.database_url = database_url

    async def rest(self) -> Rest:
        """Count.

        Raises:
            StoreUnreachable: the database is away.
        """
        by_state = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
        database = Database(self.database_url)
        try:
            async with database.read() as connection:
                # Events first: those that are counted have their deliveries among the states.
                found = await connection.execute(select(func.count()).select_from(events))
                count = found.scalar_one()
                states = {row[0]: row[1] for row in await connection.execute(by_state)}
                return Rest(count, states)
        finally:
            await database.close()

    async def recorded(self) -> dict[Name, Recorded]:
        """Return the history of every delivery."""
        d, a = deliveries.c, attempts.c
        database = Database(self.database_url)
        try:
            async with database.read() as connection:
                rows = await connection.execute(select(d.id, d.event_id, d.platform_id, d.state))
                made = await connection.execute(select(a.delivery_id, a.number, a.status))
                numbers: dict[str, set[int]] = defaultdict(set)
                answered: dict[str, set[int]] = defaultdict(set)
                for one in made:
                    numbers[one.delivery_id].add(one.number)
                    if one.status is not None:
                        answered[one.delivery_id].add(one.number)
                return {
                    Name(row.event_id, row.platform_id): Recorded(
                        row.state, frozenset(numbers[row.id]), frozenset(answered[row.id])
                    )
                    for row in rows
                }
        finally:
            await database.close()

    async def letters(self, names: Mapping[str, Name]) -> Sequence[Name]:
        """Return whose letters are in the dead-letter queue, one for each message."""
        found = await amqp.browse(self.vhost.url, self.vhost.queue("dead"))
        ids = [one.message_id or "" for one in found]
        return [names.get(one, Name(one, "?")) for one in ids]

    async def rejected(self) -> set[str]:
        """Return the ids of the events among the rejected."""
        found = await amqp.browse(self.vhost.url, self.vhost.queue("rejected"))
        return {str(json.loads(one.body).get("id")) for one in found}

    async def waiting_in(self, queue: str) -> int:
        """Return how many messages are ready in ``events``, ``dead`` or ``rejected``."""
        return await amqp.depth(self.vhost.url, self.vhost.queue(queue))
