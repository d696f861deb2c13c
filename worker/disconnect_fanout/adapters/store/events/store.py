"""Events and their deliveries, written down before the first request."""

import asyncio
import uuid
from collections.abc import Sequence
from functools import partial
from itertools import count

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.events.probe import Probe
from disconnect_fanout.adapters.store.events.registration import RegistrationInserter
from disconnect_fanout.adapters.store.links.candidates import find_links
from disconnect_fanout.adapters.store.outage_retry import LONGEST_RETRY_S, Sleep, retrying
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.database_health import Ask
from disconnect_fanout.flow.intent import Intent, Registration


class SqlEventStore:
    """``flow.resolver.EventStore`` on SQLite and PostgreSQL.

    Args:
        retry_for_s: how long an outage is waited for before it is reported.
        sleep: waits between two tries in an outage.
        by_google_id: see ``RegistrationInserter``.
    """

    def __init__(
        self,
        database: Database,
        seals: Seals,
        *,
        retry_for_s: float = LONGEST_RETRY_S,
        sleep: Sleep = asyncio.sleep,
        by_google_id: bool = False,
    ) -> None:
        self._database = database
        self._seals = seals
        self._inserter = RegistrationInserter(database, seals, by_google_id=by_google_id)
        self._probe = Probe(database, seals, self._inserter)
        self._retry_for_s = retry_for_s
        self._sleep = sleep

    @property
    def outages(self) -> int:
        """How often the database has failed to answer this process, whatever it was asked."""
        return self._database.health.outages

    async def links(self, events: Sequence[DisconnectEvent]) -> Sequence[Sequence[Link]]:
        """Return the candidate links for each event: those of its address or its google id.

        Raises:
            StoreUnreachable: the outage lasted too long.
        """
        users = [event.user for event in events]
        find = partial(find_links, self._database, self._seals, users)
        found = await retrying(find, self._retry_for_s, self._sleep)
        return [tuple(links.values()) for links in found]

    async def register(self, intents: Sequence[Intent]) -> Sequence[Registration]:
        """Insert those events that are new, with their deliveries, in one transaction.

        Each call signs its events with a token of its own. When the answer to a COMMIT is lost,
        the next try finds the token and knows that the event is still this caller's to send,
        instead of calling it known while nobody serves its leases; it renews them. If the outage
        outlasts the retries, the caller sends nothing, and the leases expire. What another worker
        has claimed meanwhile is known to the next try, and no longer the caller's.

        Raises:
            StoreUnreachable: the outage lasted too long; a redelivery finds what was written.
            DataRefused: it takes these rows not, perhaps because of one of them.
        """
        writer, tries = uuid.uuid4().hex, count()

        async def write() -> Sequence[Registration]:
            with self._database.health.asking(Ask.EVENT):
                return await self._inserter.register(intents, writer, again=next(tries) > 0)

        return await retrying(write, self._retry_for_s, self._sleep)

    async def probe(self) -> None:
        """Return if the database takes events now; leave nothing behind.

        Raises:
            StoreUnreachable: it does not.
        """
        await self._probe.ask()
