"""The probe: everything that an event needs of the database, tried and taken back.

It tells an outage from an event's own fault, and when it is over: who takes a stranger's event that
nobody has published refuses others for what they hold.
"""

import uuid
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.events.registration import RegistrationInserter
from disconnect_fanout.adapters.store.links.candidates import find_links
from disconnect_fanout.adapters.store.rows.locked import lock_named
from disconnect_fanout.adapters.store.rows.taken import require_there
from disconnect_fanout.adapters.store.rows.written import write
from disconnect_fanout.adapters.store.schema.tables import attempts, deliveries
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.domain.event import DisconnectEvent, Provider, Reason, User
from disconnect_fanout.domain.identity import content_hash, delivery_id
from disconnect_fanout.flow.database_health import Ask
from disconnect_fanout.flow.intent import Intent, PlannedDelivery
from disconnect_fanout.flow.outage import DataRefused, StoreRefuses
from disconnect_fanout.policy.delivery_row import interrupted, leased
from disconnect_fanout.policy.transition import Transition

_NOBODY = User("nobody@probe.invalid", None)
_PLATFORM = "plat_probe"
_NO_LONG_WAIT = text("SET LOCAL lock_timeout = '2s'")
"""Somebody who holds a table for long is an outage, and we want to know when it ends."""


class Probe:
    """Asks as an event would, and leaves nothing behind."""

    def __init__(self, database: Database, seals: Seals, inserter: RegistrationInserter) -> None:
        self._database = database
        self._seals = seals
        self._inserter = inserter

    async def ask(self) -> None:
        """Return if the database takes events now.

        Raises:
            StoreUnreachable: it does not, and says why.
        """
        with self._database.health.asking(Ask.EVENT):
            try:
                await find_links(self._database, self._seals, [_NOBODY])
                await self._write()
            except DataRefused as error:  # nothing is wrong with ours: it refuses everything
                raise StoreRefuses(str(error), error.sqlstate) from None

    async def _write(self) -> None:
        intent = _an_intent()
        (planned,) = intent.deliveries
        async with self._database.intend() as connection:
            if not self._database.sqlite:
                await connection.execute(_NO_LONG_WAIT)
            await self._inserter.insert(connection, intent, uuid.uuid4().hex)
            await self._claim(connection, planned.id)
            await connection.rollback()

    async def _claim(self, connection: AsyncConnection, name: str) -> None:
        """Change the delivery and write an attempt; both must be seen, for nobody may say no."""
        rows = await lock_named(connection, self._database, [name])
        token = uuid.uuid4().hex
        cut = [Transition(row, leased(interrupted(row), token, 0)) for row in rows.values()]
        await write(connection, self._database, cut)
        there = partial(require_there, connection, self._database)
        await there(deliveries.c.id, [name], deliveries.c.lease == token)
        await there(attempts.c.delivery_id, [name])


def _an_intent() -> Intent:
    now, name = datetime.now(UTC).replace(microsecond=0), f"evt_probe_{uuid.uuid4().hex}"
    event = DisconnectEvent(
        id=name,
        timestamp=now,
        user=_NOBODY,
        provider=Provider.GOOGLE,
        disconnected_at=now,
        reason=Reason.USER_REQUESTED,
    )
    planned = PlannedDelivery(delivery_id(name, _PLATFORM), _PLATFORM, uuid.uuid4().hex, 45.0)
    return Intent(event, content_hash(event), (planned,))
