"""The group commit: what became of many deliveries, in one transaction that reaches the disk."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import assert_never

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.deliveries.guilty_outcome import OneByOne
from disconnect_fanout.adapters.store.outage_retry import Answer, Sleep, again
from disconnect_fanout.adapters.store.rows.attempts import write_attempts
from disconnect_fanout.adapters.store.rows.locked import lock_named, save
from disconnect_fanout.adapters.store.rows.replay_items import close_items
from disconnect_fanout.adapters.store.schema.tables import events, installation, platforms
from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.flow.fact import DependencyChanged, Observe
from disconnect_fanout.flow.outage import DataRefused, StoreRefuses, StoreUnreachable
from disconnect_fanout.policy.change import (
    Attempted,
    Barrier,
    Change,
    CopySeen,
    GivenBack,
    GivenUp,
    LetterConfirmed,
)
from disconnect_fanout.policy.delivery_row import DeliveryRow
from disconnect_fanout.policy.settlement import (
    RowChange,
    as_settled_before,
    concerns,
    disabled_platform,
    settle,
)
from disconnect_fanout.policy.transition import Transition

_COUNT_COPY = (
    update(events)
    .where(events.c.id == bindparam("_id"))
    .values(copies=events.c.copies + bindparam("_seen"))
)
_FLUSH = update(installation).values(flushes=installation.c.flushes + 1)


@dataclass(slots=True)
class _Settled:
    """What a batch of changes comes to.

    Attributes:
        rows: as they are afterwards, by delivery.
        gone: the 410s that disable a platform.
        fenced: what no longer concerned its row.
    """

    rows: dict[str, DeliveryRow]
    attempts: list[tuple[str, Attempt]] = field(default_factory=list)
    gone: list[Attempted] = field(default_factory=list)
    fenced: list[RowChange] = field(default_factory=list)

    @property
    def applied(self) -> dict[str, DeliveryRow]:
        """The rows that are as these changes want them."""
        others = {change.delivery_id for change in self.fenced}
        return {name: row for name, row in self.rows.items() if name not in others}


class SqlLedger:
    """``flow.recorder.Ledger`` on SQLite and PostgreSQL.

    Args:
        vault: seals what platforms answer.
        observe: called once when an outage begins and once when it is over.
        sleep: waits between two tries in an outage.
        probe: tells whether the database refuses everything; see ``flow.resolver.EventStore``.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        observe: Observe,
        *,
        sleep: Sleep = asyncio.sleep,
        probe: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._database = database
        self._vault = vault
        self._probe = probe
        self._observe = observe
        self._sleep = sleep

    async def commit(self, changes: Sequence[Change]) -> Collection[Change]:
        """Write all changes in one transaction and return once it is on disk.

        Where the database refuses them for what one of them holds, each is written alone.
        """
        try:
            return await self._patiently(changes)
        except DataRefused:
            if self._probe is None:
                raise
            probe = partial(self._through, self._probe)
            return await OneByOne(self._patiently, probe, self._observe).write(changes)

    async def _patiently(self, changes: Sequence[Change]) -> Collection[Change]:
        settled_before: dict[str, DeliveryRow] = {}
        return await self._through(partial(self._write_or_wait, changes, settled_before))

    async def _write_or_wait(
        self, changes: Sequence[Change], settled_before: dict[str, DeliveryRow]
    ) -> Collection[Change]:
        """A wish to flush holds nothing that could be refused: that is an outage."""
        try:
            return await self._write(changes, settled_before)
        except DataRefused as error:
            if any(not isinstance(one, Barrier) for one in changes):
                raise
            raise StoreRefuses(str(error), error.sqlstate) from None

    async def _through(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Call, again and again in an outage; tell of its begin and end."""
        try:
            return await call()
        except StoreUnreachable as error:
            self._observe(DependencyChanged("database", reachable=False, detail=str(error)))
            answer = await again(call, self._sleep)
            self._observe(DependencyChanged("database", reachable=True))
            return answer

    async def _write(
        self, changes: Sequence[Change], settled_before: dict[str, DeliveryRow]
    ) -> Collection[Change]:
        """Lock and write in one order, so that two workers never wait in a circle.

        The order is: deliveries by id, attempts, platforms, events, replay items.

        Args:
            changes: to be written.
            settled_before: the rows that earlier tries have settled; this one adds its own.

        Returns:
            What was fenced out.
        """
        settling, copies = _sorted_out(changes)
        async with self._database.record() as connection:
            before = await self._locked(connection, settling)
            done = _settled(before, settling, settled_before)
            rows = [Transition(before[row.id], row) for row in done.rows.values()]
            changed = [one for one in rows if one.before != one.after]
            await save(connection, [one.after for one in changed])
            await write_attempts(connection, self._database, self._vault, done.attempts)
            for change in done.gone:
                await self._disable_platform(connection, change)
            if copies:
                seen = [{"_id": one, "_seen": copies[one]} for one in sorted(copies)]
                await connection.execute(_COUNT_COPY, seen)
            await close_items(connection, changed)
            if not changed and not copies:
                # The ack that waits for us relies on a flush, and nothing written is not flushed.
                await connection.execute(_FLUSH)
            # From here on the COMMIT may be said and not answered.
            settled_before.update(done.applied)
        return done.fenced

    async def _locked(
        self, connection: AsyncConnection, settling: Sequence[RowChange]
    ) -> dict[str, DeliveryRow]:
        ids = {change.delivery_id for change in settling}
        return await lock_named(connection, self._database, ids) if ids else {}

    async def _disable_platform(self, connection: AsyncConnection, change: Attempted) -> None:
        """A 410 speaks for the endpoint that was asked, not for one configured since."""
        await connection.execute(
            update(platforms)
            .where(
                platforms.c.id == change.platform_id,
                platforms.c.revision == change.platform_revision,
                platforms.c.enabled,
            )
            .values(
                enabled=False,
                disabled_reason="gone",
                disabled_at=self._database.now_ms,
                disabled_by=change.delivery_id,
                updated_at=self._database.now_ms,
            )
        )


def _sorted_out(changes: Sequence[Change]) -> tuple[list[RowChange], Counter[str]]:
    """Return what changes deliveries, in its order, and how often each event was seen again."""
    settling: list[RowChange] = []
    copies: Counter[str] = Counter()
    for change in changes:
        match change:
            case Attempted() | GivenUp() | GivenBack() | LetterConfirmed():
                settling.append(change)
            case CopySeen(event_id=event_id):
                copies[event_id] += 1
            case Barrier():
                pass
            case _:
                assert_never(change)
    return settling, copies


def _settled(
    before: Mapping[str, DeliveryRow],
    settling: Sequence[RowChange],
    settled_before: Mapping[str, DeliveryRow],
) -> _Settled:
    """Apply the changes one after the other: two of them may concern one delivery."""
    done = _Settled(dict(before))
    for change in settling:
        row = done.rows.get(change.delivery_id)
        if row is None:  # pruned or forgotten meanwhile
            done.fenced.append(change)
            continue
        if not concerns(change, row) and not as_settled_before(row, settled_before.get(row.id)):
            done.fenced.append(change)
        done.rows[row.id] = settle(row, change)
        if isinstance(change, Attempted):
            done.attempts.append((row.id, _kept(row, change.attempt)))
            if disabled_platform(row, change):
                done.gone.append(change)
    done.gone.sort(key=lambda change: change.platform_id)
    return done


def _kept(row: DeliveryRow, attempt: Attempt) -> Attempt:
    """An answer about somebody who was forgotten meanwhile may repeat who that was."""
    return replace(attempt, answer="") if row.forgotten else attempt
