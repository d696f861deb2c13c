"""Events and their deliveries, written down before the first request."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.link_candidates import find_links
from disconnect_fanout.adapters.store.patience import Sleep, again
from disconnect_fanout.adapters.store.registration import RegistrationDesk
from disconnect_fanout.adapters.store.sealed_event import Seals
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.link import Link
from disconnect_fanout.flow.intent import Intent, Registration
from disconnect_fanout.flow.outage import StoreUnreachable

Answer = TypeVar("Answer")


class SqlEventStore:
    """``flow.resolver.EventStore`` on SQLite and PostgreSQL.

    Args:
        hold_s: how long an outage is waited for before it is reported.
        sleep: waits between two tries in an outage.
    """

    def __init__(
        self,
        database: Database,
        seals: Seals,
        *,
        hold_s: float = 60.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._database = database
        self._seals = seals
        self._desk = RegistrationDesk(database, seals)
        self._hold_s = hold_s
        self._sleep = sleep

    @property
    def outages(self) -> int:
        """How often the database has failed to answer this process, whatever it was asked."""
        return self._database.outages

    async def links(self, events: Sequence[DisconnectEvent]) -> Sequence[Sequence[Link]]:
        """Return the candidate links for each event: those of its address or its google id.

        Raises:
            StoreUnreachable: the outage lasted too long.
        """
        return await self._patiently(partial(find_links, self._database, self._seals, events))

    async def register(self, intents: Sequence[Intent]) -> Sequence[Registration]:
        """Insert those events that are new, with their deliveries, in one transaction.

        Each call signs its events with a token of its own. When the answer to a COMMIT is lost,
        the next try finds the token and knows that the event is still this caller's to send,
        instead of calling it known while nobody serves its leases; it renews them. If the outage
        outlasts our patience, the caller sends nothing, and the leases expire.

        Raises:
            StoreUnreachable: the outage lasted too long; a redelivery finds what was written.
        """
        return await self._patiently(partial(self._desk.register, intents, uuid.uuid4().hex))

    async def _patiently(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            async with asyncio.timeout(self._hold_s):
                try:
                    return await call()
                except StoreUnreachable:
                    return await again(call, self._sleep)
        except TimeoutError:
            words = f"the database has not answered for {self._hold_s:g} s"
            raise StoreUnreachable(words) from None
