"""Who is condemned, when a platform changes while the sweeper is at it."""

from collections.abc import Awaitable, Callable

import pytest
from tests.harness.store.examples import event, intent, planned
from tests.harness.store.interleaved_database import InterleavedDatabase
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.dead_letters.store import SqlDeadLetterStore
from disconnect_fanout.adapters.store.platforms.registry import PlatformRegistry

Change = Callable[[PlatformRegistry, SqlWorld], Awaitable[None]]


async def enabled(registry: PlatformRegistry, _world: SqlWorld) -> None:
    """The operator has mended it."""
    await registry.enable("luma")


async def registered(_registry: PlatformRegistry, world: SqlWorld) -> None:
    """It was unknown until now."""
    await world.add_platform("luma")


async def replaced(registry: PlatformRegistry, world: SqlWorld) -> None:
    """Removed, and registered anew under its id."""
    await registry.remove("luma")
    await world.add_platform("luma")


async def waiting(world: SqlWorld, count: int) -> list[str]:
    """Return so many deliveries that wait for luma."""
    events = [event() for _ in range(count)]
    plans = [planned(one, "luma") for one in events]
    await world.worker.events.register(
        [intent(one, plan) for one, plan in zip(events, plans, strict=True)]
    )
    return [one.id for one in plans]


@pytest.mark.parametrize(
    ("known", "change"), [(True, enabled), (False, registered), (True, replaced)]
)
async def test_condemning_ends_when_its_reason_does(
    sql_world: SqlWorld, *, known: bool, change: Change
) -> None:
    """The portion that was being written when it changed is dead; all others are told."""
    if known:
        await sql_world.add_platform("luma", enabled=False)
    names = await waiting(sql_world, 1_200)
    registry = PlatformRegistry(sql_world.database, sql_world.vault)
    database = InterleavedDatabase(sql_world.url, {2: lambda: change(registry, sql_world)})
    sql_world.databases.append(database)
    assert await SqlDeadLetterStore(database).dead_letter_undeliverable() == 500
    reason = "endpoint_disabled" if known else "unknown_platform"
    rows = [await sql_world.row(name) for name in names[::100]]
    assert {row.reason for row in rows} <= {None, reason}
    assert len(await sql_world.worker.letters.decided(names)) == 500


async def test_a_platform_that_is_enabled_before_the_first_portion_loses_nothing(
    sql_world: SqlWorld,
) -> None:
    """Looked at as disabled, enabled before the first row was touched."""
    await sql_world.add_platform("luma", enabled=False)
    names = await waiting(sql_world, 3)
    registry = PlatformRegistry(sql_world.database, sql_world.vault)
    database = InterleavedDatabase(sql_world.url, {1: lambda: registry.enable("luma")})
    sql_world.databases.append(database)
    assert await SqlDeadLetterStore(database).dead_letter_undeliverable() == 0
    assert await sql_world.worker.letters.decided(names) == []


async def test_a_platform_that_is_removed_in_the_middle_is_unknown_from_then_on(
    sql_world: SqlWorld,
) -> None:
    """Each portion dies for the reason that holds when it does."""
    await sql_world.add_platform("luma", enabled=False)
    names = await waiting(sql_world, 600)
    registry = PlatformRegistry(sql_world.database, sql_world.vault)
    database = InterleavedDatabase(sql_world.url, {2: lambda: registry.remove("luma")})
    sql_world.databases.append(database)
    assert await SqlDeadLetterStore(database).dead_letter_undeliverable() == 600
    reasons = [str(one.reason) for one in await sql_world.worker.letters.decided(names)]
    assert (reasons.count("endpoint_disabled"), reasons.count("unknown_platform")) == (500, 100)
