"""Connections to PostgreSQL that die, go mute or are held up; and what is set in our sessions."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy import select, text, update
from tests.faults.proxy import Proxy
from tests.harness.store.outage import lasts
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import installation
from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.policy.session_limits import (
    PING_AFTER_S,
    UNHURRIED,
    WORKING,
    SessionLimits,
)

WITHIN_S = 5.0
FLUSHED = update(installation).values(flushes=installation.c.flushes + 1)
SETTINGS = (
    "synchronous_commit", "statement_timeout", "lock_timeout",
    "idle_in_transaction_session_timeout", "tcp_user_timeout", "tcp_keepalives_idle",
)  # fmt: skip


@pytest.fixture
async def world(postgres_url: str) -> AsyncIterator[SqlWorld]:
    """A migrated PostgreSQL."""
    made = await SqlWorld.on(postgres_url)
    yield made
    await made.close()


@pytest.fixture
async def wire(postgres_url: str) -> AsyncIterator[Proxy]:
    """The way to it, which can be harmed."""
    async with Proxy(urlsplit(postgres_url).port or 0) as proxy:
        yield proxy


@pytest.fixture
async def database(world: SqlWorld, wire: Proxy) -> AsyncIterator[Database]:
    """What a worker has, with some idle connections of each kind."""
    made = Database(wire.through(world.url))
    await asyncio.gather(*(flush(made, made.intend, 0.1) for _ in range(4)))
    await asyncio.gather(*(flush(made, made.record, 0.1) for _ in range(4)))
    yield made
    await made.close()


async def flush(database: Database, way: object, sleep_s: float = 0.0) -> None:
    """Begin and end a transaction that writes."""
    enter = database.intend if way == database.intend else database.record
    async with enter() as connection:
        await connection.execute(select(text(f"pg_sleep({sleep_s})")))
        if not sleep_s:
            await connection.execute(FLUSHED)


async def silent_while(database: Database, other: Awaitable[None]) -> None:
    """Hold a lock, and say nothing until the other one has had it."""
    async with database.record() as connection:
        await connection.execute(FLUSHED)
        await other
        await connection.execute(FLUSHED)


async def flushes(world: SqlWorld) -> int:
    """Return how many were committed."""
    async with world.database.read() as connection:
        return int((await connection.execute(select(installation.c.flushes))).scalar_one())


async def shown(database: Database, way: str) -> list[str]:
    """Return a session's settings."""
    enter = database.intend if way == "intend" else database.record
    async with enter() as connection:
        each = ", ".join(f"current_setting('{name}')" for name in SETTINGS)
        return list((await connection.execute(text(f"SELECT {each}"))).one())


@pytest.mark.parametrize("by", ["ALTER DATABASE {}", "ALTER ROLE fanout IN DATABASE {}"])
@pytest.mark.parametrize(("default", "recorded"), [("off", "on"), ("on", "on"), ("local", "local")])
async def test_how_a_commit_is_made_is_not_the_roles_affair(
    world: SqlWorld, by: str, default: str, recorded: str
) -> None:
    """An outcome reaches the disk whatever the default is, and an intent need not.

    Fails before with `off`: the ack then followed a commit that a power cut forgets.
    """
    name = urlsplit(world.url).path[1:]
    owner = await asyncpg.connect(world.url.replace("+asyncpg", ""))
    await owner.execute(f"{by.format(name)} SET synchronous_commit = {default}")
    await owner.close()
    database = Database(world.url)
    try:
        assert (await shown(database, "record"))[0] == recorded
        assert (await shown(database, "intend"))[0] == "off"
    finally:
        await database.close()


@pytest.mark.parametrize("way", ["record", "intend"])
async def test_a_session_bounds_what_others_wait_for(database: Database, way: str) -> None:
    """Statements, locks, silence in a transaction, and a peer that is gone."""
    assert (await shown(database, way))[1:] == ["1min", "10s", "15s", "15000", "15"]


@pytest.mark.parametrize("by", ["ALTER DATABASE {}", "ALTER ROLE fanout IN DATABASE {}"])
@pytest.mark.parametrize("limits", [WORKING, UNHURRIED], ids=["working", "unhurried"])
async def test_a_limit_of_the_role_ends_no_idle_session_of_ours(
    world: SqlWorld, by: str, limits: SessionLimits
) -> None:
    """Nor a long statement. Fails before: it was in force, and a busy process met its end."""
    name = urlsplit(world.url).path[1:]
    owner = await asyncpg.connect(world.url.replace("+asyncpg", ""))
    for limit in ("idle_session_timeout = '200ms'", "statement_timeout = '300ms'"):
        await owner.execute(f"{by.format(name)} SET {limit}")
    await owner.close()
    database = Database(world.url, limits=limits)
    try:
        for way in (database.intend, database.record):
            async with way() as connection:
                idle = text("SELECT current_setting('idle_session_timeout', true)")
                assert (await connection.execute(idle)).scalar_one() in {None, "0"}
        await lasts(0.5)
        for way in (database.intend, database.record):
            await flush(database, way, 0.5)
        assert database.health.outages == 0
    finally:
        await database.close()


async def test_a_migration_waits_for_as_long_as_it_takes(world: SqlWorld) -> None:
    """A busy database makes it slow, not wrong."""
    database = Database(world.url, limits=UNHURRIED)
    try:
        assert (await shown(database, "record"))[1:4] == ["0", "0", "10min"]
    finally:
        await database.close()


async def test_a_cut_of_idle_connections_is_nobodys_error(
    world: SqlWorld, database: Database, wire: Proxy
) -> None:
    """All kinds, at once and later: fails before, for each connection once."""
    for _ in range(3):
        wire.cut()
        await lasts(0.05)  # the resets are on their way
        for way in (database.intend, database.record):
            await asyncio.gather(*(flush(database, way) for _ in range(4)))
    assert await flushes(world) >= 24
    assert database.health.outages == 0


async def test_a_server_that_ended_idle_sessions_is_nobodys_error(
    world: SqlWorld, database: Database
) -> None:
    """An administrator, a time-out of a pooler or firewall that says so, a restart."""
    ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    owner = await asyncpg.connect(world.url.replace("+asyncpg", ""))
    await owner.execute(f"{ends} AND datname = current_database()")
    await owner.close()
    await lasts(0.05)
    for way in (database.intend, database.record):
        await asyncio.gather(*(flush(database, way) for _ in range(4)))
    assert database.health.outages == 0


async def test_idle_connections_that_went_mute_cost_one_ping(
    database: Database, wire: Proxy
) -> None:
    """Not one for each of them, and no error: fails before, a minute for each."""
    await asyncio.sleep(PING_AFTER_S + 0.1)
    wire.mute()
    began = time.monotonic()
    for way in (database.intend, database.record):
        for _ in range(4):
            await flush(database, way)
    assert time.monotonic() - began < WITHIN_S
    assert wire.muted >= 8
    assert database.health.outages == 0


@pytest.mark.parametrize("heard", [True, False], ids=["heard", "not heard"])
async def test_a_commit_on_a_mute_connection_is_given_up_soon(
    world: SqlWorld, database: Database, wire: Proxy, *, heard: bool
) -> None:
    """It is said that it may be done, and its locks are free.

    Fails before: a minute, and two hours for the locks.
    """
    before = await flushes(world)
    wire.mute_at(b"COMMIT;", heard=heard)
    began = time.monotonic()
    with pytest.raises(StoreUnreachable) as told:
        await flush(database, database.record)
    assert told.value.maybe_done
    await flush(database, database.record)
    assert time.monotonic() - began < WITHIN_S
    assert await flushes(world) == before + 1 + heard


@pytest.mark.parametrize("words", [b"BEGIN;", b"flushes"])
async def test_a_connection_that_goes_mute_before_its_commit_did_nothing(
    world: SqlWorld, database: Database, wire: Proxy, words: bytes
) -> None:
    """That is said too, so that it may be done again; at its begin and in its midst."""
    before = await flushes(world)
    wire.mute_at(words, heard=True)
    began = time.monotonic()
    with pytest.raises(StoreUnreachable) as told:
        await flush(database, database.record)
    assert not told.value.maybe_done
    await flush(database, database.record)
    assert time.monotonic() - began < WITHIN_S
    assert await flushes(world) == before + 1


async def test_a_slow_statement_is_not_a_mute_connection(database: Database) -> None:
    """The server works for us: we wait."""
    async with database.record() as connection:
        await connection.execute(text("SELECT pg_sleep(6)"))
    assert database.health.outages == 0


async def test_a_statement_that_waits_for_a_lock_is_not_a_mute_connection(
    world: SqlWorld, database: Database
) -> None:
    """Nor is one that somebody else keeps waiting."""
    owner = await asyncpg.connect(world.url.replace("+asyncpg", ""))
    async with owner.transaction():
        await owner.execute("LOCK TABLE installation IN ACCESS EXCLUSIVE MODE")
        waiting = asyncio.create_task(flush(database, database.record))
        done, _ = await asyncio.wait([waiting], timeout=5)
        assert not done
    await waiting
    await owner.close()
    assert database.health.outages == 0


async def test_the_server_ends_a_transaction_of_a_peer_that_is_silent(world: SqlWorld) -> None:
    """Also when nobody can ask it: a worker that is frozen holds its locks for so long at most."""
    limits = SessionLimits(statement_s=5, lock_s=0.2, idle_in_transaction_s=0.5)
    database, other = Database(world.url, limits=limits), Database(world.url)
    try:
        with pytest.raises(StoreUnreachable):
            await silent_while(database, flush(other, other.record))
    finally:
        await database.close()
        await other.close()


async def test_a_cancelled_question_leaves_no_broken_connection(
    database: Database, wire: Proxy
) -> None:
    """Who gives up on a mute connection waits for no good-bye, and the next one is served."""
    wire.mute_at(b"BEGIN;", heard=True)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await flush(database, database.record)
    assert time.monotonic() - began < 1
    await flush(database, database.record)


async def test_a_connection_that_was_idle_and_lives_is_used_again(
    database: Database, wire: Proxy
) -> None:
    """No new one is opened: with a server that is far away that takes eight round trips."""
    opened = wire.accepted
    for way in (database.intend, database.record):
        await lasts(PING_AFTER_S + 0.1)
        await flush(database, way)
    async with database.read() as connection:
        await connection.execute(select(1))
    assert wire.accepted == opened
