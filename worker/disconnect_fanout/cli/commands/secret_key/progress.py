"""Following a resealing: column by column, with a bar at a terminal."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from disconnect_fanout.adapters.store.seals.resealing import SEALED, Resealed, Resealing
from disconnect_fanout.adapters.store.seals.secret_keys import SecretKeys
from disconnect_fanout.cli.runtime.session import Session
from disconnect_fanout.cli.screen.output import say
from disconnect_fanout.cli.screen.progress_bar import progress_bar
from disconnect_fanout.domain.instant import span_ms
from disconnect_fanout.policy.secret_key import QUIET_AFTER_S

_LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class ResealReport:
    """What was done.

    Attributes:
        retired: fingerprints of keys that nothing is sealed with any more.
        still_used: fingerprints of keys that something that runs still seals with.
    """

    columns: Sequence[Resealed]
    retired: Sequence[str]
    still_used: Sequence[str]


async def reseal_all(session: Session) -> ResealReport:
    """Seal everything anew, and retire the keys that nobody seals with any more."""
    keys = SecretKeys(session.database, session.vault)
    await keys.look()  # noted before anything is sealed with it
    began = await _now_ms(session)
    columns = await _pass(session)
    if await keys.others_seen_since(began - span_ms(QUIET_AFTER_S)):
        still_used = await _quiet(session, keys)
        if still_used:
            return ResealReport(columns, (), still_used)
        began = await _now_ms(session)
        columns = _summed(columns, await _pass(session))
    return ResealReport(columns, await keys.retire(began), ())


async def _quiet(session: Session, keys: SecretKeys) -> Sequence[str]:
    """Wait until nobody seals with another key; return the keys with which somebody still does."""
    say("waiting whether something that runs still seals with another key")
    since = await _now_ms(session)
    while await keys.others_seen_since(await _now_ms(session) - span_ms(QUIET_AFTER_S)):
        if await keys.others_seen_since(since):
            return await keys.others_seen_since(since)
        await asyncio.sleep(_LOOK_EVERY_S)
    return ()


async def _pass(session: Session) -> list[Resealed]:
    work = Resealing(session.database, session.vault)
    columns = list[Resealed]()
    with progress_bar() as bar:
        task = bar.add_task("resealing", total=await work.total())
        before = 0
        for column in SEALED:
            seen = Resealed(str(column))
            async for seen in work.column(column):
                bar.update(task, completed=before + seen.looked_at, description=seen.column)
            before += seen.looked_at
            columns.append(seen)
    return columns


def _summed(first: Sequence[Resealed], second: Sequence[Resealed]) -> list[Resealed]:
    return [
        Resealed(now.column, now.looked_at, before.resealed + now.resealed, now.unreadable)
        for before, now in zip(first, second, strict=True)
    ]


async def _now_ms(session: Session) -> int:
    async with session.database.read() as connection:
        return int((await connection.execute(select(session.database.now_ms))).scalar_one())
