"""Waiting rows: found when they are due, claimed under a lease, expedited."""

import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.deliveries.claimed_events import ClaimedEvents
from disconnect_fanout.adapters.store.deliveries.due_rows import DUE, NOT_HELD
from disconnect_fanout.adapters.store.deliveries.expediting import Expediting
from disconnect_fanout.adapters.store.deliveries.guilty_rows import GuiltyRows
from disconnect_fanout.adapters.store.deliveries.unheard_claims import UnheardClaims
from disconnect_fanout.adapters.store.replays.reconnected import leave_out
from disconnect_fanout.adapters.store.rows.locked import lock_first
from disconnect_fanout.adapters.store.rows.taken import require_there
from disconnect_fanout.adapters.store.rows.written import write
from disconnect_fanout.adapters.store.schema.tables import (
    deliveries,
    platforms,
    waiting,
)
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.domain.delivery import DeliveryState, LeasedDelivery, Progress
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.instant import span_ms
from disconnect_fanout.flow.due import Claim, Expedited
from disconnect_fanout.flow.outage import DataRefused, StoreUnreachable
from disconnect_fanout.policy.delivery_row import (
    MOST,
    DeliveryRow,
    lapsed,
    leased,
)
from disconnect_fanout.policy.transition import Transition

_KNOWN_STATE = deliveries.c.state.in_([DeliveryState.PENDING, DeliveryState.DELIVERED])
_COUNTS = (
    deliveries.c.attempts,
    deliveries.c.step,
    deliveries.c.replays,
    deliveries.c.interruptions,
)


def demands(database: Database) -> Mapping[str, ColumnElement[bool]]:
    """Return by column what must hold of a waiting row, so that it can be reckoned with.

    In a state that this version does not know it is left to those who do. Where a count has no
    next one, the outcome of a request could not be written. SQLite stores a text in any column.
    """
    counts = {one.name: one.between(0, MOST - 1) for one in _COUNTS}
    if not database.sqlite:
        return {"state": _KNOWN_STATE, **counts}
    whole = {one.name: func.typeof(one) == "integer" for one in (*_COUNTS, deliveries.c.born_at)}
    both = {name: and_(whole[name], one) for name, one in counts.items()}
    return {"state": _KNOWN_STATE, **whole, **both}


def sendable(database: Database) -> Sequence[ColumnElement[bool]]:
    """Return what must hold of a waiting row, so that a worker takes it."""
    return list(demands(database).values())


class SqlDueStore:
    """``flow.due.DueStore`` on SQLite and PostgreSQL."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals
        self._unheard = UnheardClaims(database)
        self._events = ClaimedEvents(database, seals)
        self._guilty = GuiltyRows(database)
        self._expediting = Expediting(database, self._guilty)

    async def due_platforms(self, platform_ids: Collection[str]) -> Collection[str]:
        """Return those of the platforms that have at least one row due now.

        What a claim of ours has leased whose answer was lost is due again. While a secret key is
        lacking none is due: whoever holds the key sends them.
        """
        if self._database.health.lacking_key is not None:
            return ()
        if self._unheard:
            await self._unheard.give_back()
        first = (
            select(func.min(DUE))
            .where(waiting, deliveries.c.platform_id == platforms.c.id)
            .scalar_subquery()
        )
        statement = select(platforms.c.id).where(
            self._database.among(platforms.c.id, platform_ids), first <= self._database.now_ms
        )
        async with self._database.read() as connection:
            return list((await connection.execute(statement)).scalars())

    async def claim(
        self,
        platform_id: str,
        *,
        limit: int,
        lease_s: float,
        holding: Collection[str],
        reclaim: bool,
    ) -> Sequence[Claim]:
        """Lease up to ``limit`` due rows of one platform, the longest due first.

        Those of a replay that is paused or cancelled are left alone; those whose user has come
        back to the platform are given up, unless their replay includes them. A claim need not
        reach the disk: lost with the machine, it leaves the row due.

        Raises:
            StoreUnreachable: nothing is known to be claimed; what is, is given back later.
            SecretKeyMissing: an event is sealed with a key that is not here; nothing is claimed.
        """
        unleased = () if reclaim else (deliveries.c.lease.is_(None),)
        free = (
            waiting,
            deliveries.c.platform_id == platform_id,
            self._database.now_ms >= DUE,
            ~self._database.among(deliveries.c.id, {*holding, *self._guilty.names}),
            NOT_HELD,
            *sendable(self._database),
            *unleased,
        )
        lease = partial(self._lease, uuid.uuid4().hex, span_ms(lease_s))
        try:
            return await lease(limit, *free)
        except DataRefused:  # perhaps for what one of them holds
            return await self._sifted(limit, free, lease)

    async def _lease(
        self, token: str, lease_ms: int, limit: int, *free: ColumnElement[bool]
    ) -> Sequence[Claim]:
        claims: Sequence[Claim] = []
        try:
            async with self._database.intend() as connection:
                rows = await lock_first(connection, self._database, *free, order=DUE, limit=limit)
                if rows:
                    claims = await self._claimed(connection, rows, token, lease_ms)
        except StoreUnreachable as error:
            if error.maybe_done:
                self._unheard.note([one.delivery.id for one in claims], token)
            raise
        return claims

    async def _sifted(
        self,
        limit: int,
        free: Sequence[ColumnElement[bool]],
        lease: Callable[..., Awaitable[Sequence[Claim]]],
    ) -> Sequence[Claim]:
        """Lease singly what is not refused; in an outage give back what was leased so far."""
        claims: list[Claim] = []

        async def alone(name: str) -> None:
            claims.extend(await lease(1, *free, deliveries.c.id == name))

        try:
            await self._guilty.sift(await self._guilty.first(limit, *free), alone)
        except StoreUnreachable:
            for one in claims:
                self._unheard.note([one.delivery.id], one.delivery.lease)
            raise
        return claims

    async def expedite(self, platform_id: str, limit: int) -> Expedited:
        """Make up to ``limit`` waiting rows due, those first whose turn is next.

        None before its Retry-After, nor before the slot that a replay gave it, nor one that was
        expedited in vain since its last turn.
        """
        return await self._expediting.expedite(platform_id, limit)

    async def release_all_leases(self) -> int:
        """Make every leased row due, with the lease's token still on it.

        Only for the start on SQLite, where there is one worker at a time: every lease found is a
        dead one's, and its claim shall see the interruption.
        """
        async with self._database.record() as connection:
            done = await connection.execute(
                update(deliveries)
                .where(waiting, deliveries.c.lease.is_not(None))
                .values(next_at=self._database.now_ms)
            )
        return done.rowcount

    async def _claimed(
        self, connection: AsyncConnection, rows: Sequence[DeliveryRow], token: str, lease_ms: int
    ) -> Sequence[Claim]:
        events_of = await self._events.of(connection, rows)
        rows = [row for row in rows if row.id in events_of]
        back = await self._leave_out(connection, rows, events_of)
        rows = [row for row in rows if row.id not in back]
        mine = [Transition(row, leased(lapsed(row), token, lease_ms)) for row in rows]
        await write(connection, self._database, mine)
        await self._require_leased(connection, rows, token)
        return [
            Claim(
                _delivery(one.after, events_of[one.after.id]), interrupted=one.cut_off is not None
            )
            for one in mine
        ]

    async def _require_leased(
        self, connection: AsyncConnection, rows: Sequence[DeliveryRow], token: str
    ) -> None:
        """What nobody could lease would be sent again in every turn."""
        names = [row.id for row in rows]
        lease = deliveries.c.lease == token
        await require_there(connection, self._database, deliveries.c.id, names, lease)

    async def _leave_out(
        self,
        connection: AsyncConnection,
        rows: Sequence[DeliveryRow],
        events_of: Mapping[str, DisconnectEvent],
    ) -> set[str]:
        """Between two requests of a replay lie up to days, in which a user may have come back."""
        replayed = [row for row in rows if row.job is not None]
        if not replayed:
            return set()
        about = {row.event_id: events_of[row.id] for row in replayed}
        return await leave_out(connection, self._database, self._seals, replayed, about)


def _delivery(row: DeliveryRow, event: DisconnectEvent) -> LeasedDelivery:
    return LeasedDelivery(
        id=row.id,
        platform_id=row.platform_id,
        event=event,
        lease=row.lease or "",
        progress=Progress(
            attempts=row.attempts,
            step=row.step,
            age_s=(row.read_at - row.born_at) / 1000,
            replays=row.replays,
            delivered=row.delivered,
            interruptions=row.interruptions,
        ),
    )
