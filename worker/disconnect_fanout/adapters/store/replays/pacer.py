"""The pacer of replays: makes the next deliveries of each running job pending again.

The rate is a fact about rows, so that it holds over pauses, restarts and any number of workers:
each job remembers the slot that it gave last, and whoever gives the next one holds the job's lock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, Select, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.replays.end import finish
from disconnect_fanout.adapters.store.replays.give_back import take_back
from disconnect_fanout.adapters.store.replays.reconnected import reconnected
from disconnect_fanout.adapters.store.replays.takeover import held_by_others
from disconnect_fanout.adapters.store.rows.locked import lock_named
from disconnect_fanout.adapters.store.rows.replay_items import move_items, next_items
from disconnect_fanout.adapters.store.rows.written import write
from disconnect_fanout.adapters.store.schema.tables import (
    deliveries,
    events,
    replaying,
    replays,
)
from disconnect_fanout.adapters.store.seals.event_seals import Seals
from disconnect_fanout.adapters.store.seals.opened_events import open_known
from disconnect_fanout.domain.bad_row import BadRow, RowKind
from disconnect_fanout.domain.event import NOBODY, DisconnectEvent
from disconnect_fanout.domain.instant import span_ms
from disconnect_fanout.domain.replay import ReplayState
from disconnect_fanout.flow.outage import DataRefused
from disconnect_fanout.policy.delivery_row import (
    DeliveryRow,
    lapsed,
    replayed,
    taken_over,
)
from disconnect_fanout.policy.replay_item import ItemState, at_its_turn
from disconnect_fanout.policy.replay_slots import most_unsent, slots
from disconnect_fanout.policy.transition import Transition

_GIVEN_UP = and_(replays.c.state == ReplayState.CANCELLED, replays.c.finished_at.is_(None))
_UNFINISHED = or_(replays.c.state == ReplayState.RUNNING, _GIVEN_UP)
_HELD = or_(replays.c.state == ReplayState.PAUSED, _GIVEN_UP)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What one job may release now.

    Attributes:
        job: its row, locked.
        held: ids of the jobs whose rows nobody sends.
        free: its next slots.
    """

    job: Row[Any]
    held: Collection[str]
    free: Sequence[int]


class SqlReplayStore:
    """``flow.replayer.ReplayStore`` on SQLite and PostgreSQL."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals

    async def advance(self, horizon_s: float) -> int:
        """Release what the rate of each running job allows within the coming ``horizon_s``.

        What a cancelled job had released and is not on its way becomes a dead letter again. What a
        paused or cancelled one holds is sent by those that wait for it too.

        Returns:
            How many deliveries had their turn. Nearly always they were made pending again; those
            that meanwhile were delivered, discarded or sent by another job were not.

        Raises:
            DataRefused: a row of some job; all others had their turn.
        """
        unfinished = select(replays.c.id).where(_UNFINISHED).order_by(replays.c.created_at)
        async with self._database.read() as connection:
            jobs = list((await connection.execute(unfinished)).scalars())
            held = list((await connection.execute(select(replays.c.id).where(_HELD))).scalars())
        turns, refused = 0, list[DataRefused]()
        for job in jobs:
            try:
                turns += await self._turn(job, held, span_ms(horizon_s))
            except DataRefused as error:
                refused.append(error)
        if refused:
            raise refused[0]
        return turns

    async def _turn(self, job: str, held: Collection[str], horizon_ms: int) -> int:
        """Do the next piece of one job, unless another worker is at it at this moment."""
        async with self._database.record() as connection:
            found = await connection.execute(
                select(replays, self._database.now_ms.label("now"))
                .where(replays.c.id == job, _UNFINISHED)
                .with_for_update(skip_locked=True)
            )
            row = found.first()
            if row is None:
                return 0
            if row.rate_per_s is not None and not row.rate_per_s > 0:
                what = "rate_per_s: is no positive number"
                self._database.set_aside.note(BadRow(RowKind.REPLAYS, job, what))
                return 0
            if row.state == ReplayState.CANCELLED:
                return await take_back(connection, self._database, job)
            return await self._release(connection, row, held, horizon_ms)

    async def _release(
        self, connection: AsyncConnection, job: Row[Any], held: Collection[str], horizon_ms: int
    ) -> int:
        turn = _Turn(job, held, slots(job.rate_per_s, job.slot_at, job.now, horizon_ms))
        room = len(turn.free)
        most = most_unsent(job.rate_per_s, horizon_ms)
        congested = await self._congested(connection, job.id, most)
        waiting = held_by_others(self._database, job.id, held, congested)
        stuck = await _reasons(connection, waiting.limit(room)) if held else {}
        items = await next_items(connection, job.id, congested, room - len(stuck))
        if stuck or items:
            rows = await lock_named(connection, self._database, [*stuck, *items])
            await self._send_again(connection, turn, rows, items, stuck)
        elif room:
            await finish(connection, self._database, job.id, ReplayState.DONE)
        return len(stuck) + len(items)

    async def _send_again(
        self,
        connection: AsyncConnection,
        turn: _Turn,
        rows: Mapping[str, DeliveryRow],
        items: Mapping[str, str],
        stuck: Mapping[str, str | None],
    ) -> None:
        """Make what is to be sent pending at its slot; close the items of what is not."""
        job = turn.job.id
        back = await self._back(connection, turn.job, rows.values())
        turns = {
            one: at_its_turn(state, rows.get(one), back=one in back) for one, state in items.items()
        }
        wanted = [rows[one] for one, fate in turns.items() if fate == ItemState.RELEASED]
        # Another job is sending it already: the end of that is the end of this item too.
        riding = [
            Transition(row, replace(row, job=row.job or job)) for row in wanted if row.under_way
        ]
        idle = [row for row in wanted if not row.under_way]
        theirs = [rows[one] for one in stuck if one in rows and _held(rows[one], turn.held)]
        taken = [row for row in theirs if row.id not in back]
        free = iter(turn.free)
        released = [
            *(Transition(row, taken_over(lapsed(row), next(free), job)) for row in taken),
            *(Transition(row, replayed(row, next(free), job)) for row in idle),
        ]
        await write(connection, self._database, [*released, *riding])
        reasons = {row.id: row.reason for row in idle}
        moved = {one: (fate, reasons.get(one)) for one, fate in turns.items()}
        moved |= {row.id: (ItemState.RELEASED, stuck[row.id]) for row in taken}
        moved |= {row.id: (ItemState.RECONNECTED, None) for row in theirs if row.id in back}
        await move_items(connection, job, moved)
        if released:
            slot_at = turn.free[len(released) - 1]
            given = update(replays).where(replays.c.id == job).values(slot_at=slot_at)
            await connection.execute(given)

    async def _back(
        self, connection: AsyncConnection, job: Row[Any], rows: Collection[DeliveryRow]
    ) -> set[str]:
        """Return the ids of those whose user has come back, if the job leaves such out.

        What is damaged is judged where it is claimed: there it can't be sent either.

        Raises:
            SecretKeyMissing: a key in use is not here; whoever holds it does the job's turn.
        """
        if job.include_reconnected:
            return set()
        opened = await self._events(connection, {row.event_id for row in rows})
        back = await reconnected(connection, self._database, self._seals, opened)
        return {row.id for row in rows if (row.event_id, row.platform_id) in back}

    async def _events(
        self, connection: AsyncConnection, ids: Collection[str]
    ) -> list[DisconnectEvent]:
        """Return these events, but for damaged ones and those whose user was forgotten."""
        found = await connection.execute(
            select(events.c.sealed).where(self._database.among(events.c.id, ids))
        )
        opened = await open_known(connection, self._seals, filter(None, found.scalars()))
        return [one for one in opened if one.user != NOBODY]

    async def _congested(self, connection: AsyncConnection, job: str, most: int) -> list[str]:
        """Return the platforms that have not taken what the job released for them already.

        So a platform that hangs holds up neither the others nor the events that come meanwhile,
        and does not get all that it missed in one burst.
        """
        platform = deliveries.c.platform_id
        found = await connection.execute(
            select(platform)
            .where(
                replaying,
                deliveries.c.job == job,
                deliveries.c.lease.is_(None),
                deliveries.c.next_at <= self._database.now_ms,
            )
            .group_by(platform)
            .having(func.count() >= most)
        )
        return list(found.scalars())


async def _reasons(connection: AsyncConnection, wanted: Select[Any]) -> dict[str, str | None]:
    return {row[0]: row[1] for row in await connection.execute(wanted)}


def _held(row: DeliveryRow, held: Collection[str]) -> bool:
    """Tell whether nobody sends it, because its job is held up."""
    return row.under_way and not row.in_hand and row.job in held
