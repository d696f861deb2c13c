"""Open breakers as workers report them and operators see them, on both databases."""

from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.platforms.open_breakers import STALE_MS, OpenBreakers
from disconnect_fanout.adapters.store.platforms.registry import PlatformRegistry
from disconnect_fanout.adapters.store.platforms.waiting import WaitingRoom


async def seen(world: SqlWorld) -> dict[str, int]:
    """Return what an operator sees, by platform."""
    registered = await PlatformRegistry(world.database, world.vault).all()
    return {one.id: one.open_breakers for one in registered}


async def test_each_worker_speaks_for_itself(sql_world: SqlWorld) -> None:
    """Two workers, one platform; who closes it again takes back only his own word."""
    for platform in ("boardy", "luma"):
        await sql_world.add_platform(platform)
    first, second = (OpenBreakers(sql_world.database, one) for one in ("first", "second"))
    assert await seen(sql_world) == {"boardy": 0, "luma": 0}
    await first.report({"luma", "boardy"})
    await second.report({"luma"})
    assert await seen(sql_world) == {"boardy": 1, "luma": 2}
    await first.report({"luma"})
    await second.report(set())
    assert await seen(sql_world) == {"boardy": 0, "luma": 1}
    await first.report(set())
    assert await seen(sql_world) == {"boardy": 0, "luma": 0}


async def test_a_dead_workers_word_is_forgotten(sql_world: SqlWorld) -> None:
    """It is not shown after a while, and gone with the next report of anybody."""
    await sql_world.add_platform("luma")
    await OpenBreakers(sql_world.database, "dead").report({"luma"})
    await sql_world.pass_time(STALE_MS / 1000 + 1)
    assert await seen(sql_world) == {"luma": 0}
    await OpenBreakers(sql_world.database, "living").report({"luma"})
    assert await seen(sql_world) == {"luma": 1}


async def test_nothing_waits_where_nothing_was_published(sql_world: SqlWorld) -> None:
    """An empty installation has no counts at all."""
    assert await WaitingRoom(sql_world.database).count() == {}


async def test_a_namesake_of_a_removed_platform_begins_anew(sql_world: SqlWorld) -> None:
    """Reports about the one that is gone are not shown for the one that was added after it."""
    await sql_world.add_platform("luma")
    await OpenBreakers(sql_world.database, "first").report({"luma"})
    await PlatformRegistry(sql_world.database, sql_world.vault).remove("luma")
    await sql_world.add_platform("luma")
    assert await seen(sql_world) == {"luma": 0}
