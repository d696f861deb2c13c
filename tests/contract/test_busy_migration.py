"""Migrating a PostgreSQL that others use: they go on, and an interrupted run is taken up again."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from tests.harness.store.busy_database import HOLDERS, Lines, Writer, holding
from tests.harness.store.older_schema import older_schema

from disconnect_fanout.adapters.crypto.vault import Vault, new_key
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.driver_error import named_errors
from disconnect_fanout.adapters.store.migration.migrate import _head, check_schema, migrate
from disconnect_fanout.adapters.store.migration.still_locked import StillLocked
from disconnect_fanout.flow.outage import StoreUnreachable

ROWS = 200_000
BEARABLE_S = 3.0
INDEX = "ix_events_near_misses"
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"


@pytest.fixture
def vault() -> Vault:
    """What the installation is sealed with."""
    return Vault([new_key()])


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    """The test's own way into it."""
    database = Database(postgres_url)
    yield database
    await database.close()


async def valid(database: Database, index: str) -> bool | None:
    """Whether an index is fit for use; None if there is none."""
    async with database.read() as connection:
        found: bool | None = (await connection.execute(text(VALID), {"name": index})).scalar()
        return found


@pytest.mark.parametrize("what", HOLDERS)
async def test_workers_go_on_while_others_keep_the_migration_waiting(
    postgres_url: str, database: Database, vault: Vault, what: str
) -> None:
    """Nobody waits for more than 3 s behind it, it says for whom it waits, and then it is done."""
    await older_schema(postgres_url, vault, "0005", rows=ROWS)
    lines = Lines()
    writer = Writer(database)
    writing = asyncio.create_task(writer.run())
    async with holding(postgres_url, what):
        migrating = asyncio.create_task(migrate(postgres_url, vault, say=lines.say))
        await lines.hear("(a-dump)")
        written = writer.written
        done, _ = await asyncio.wait({migrating}, timeout=6)  # longer than a turn and its pause
        assert not done
    assert await migrating == ("0005", _head())
    writing.cancel()
    await asyncio.wait({writing})
    assert writing.cancelled()
    assert writer.written > written
    assert writer.longest_s < BEARABLE_S
    assert lines.have("ALTER TABLE events")
    assert await check_schema(database) is None
    assert await valid(database, INDEX)


async def test_time_outs_of_others_do_not_end_a_migration(
    postgres_url: str, database: Database, vault: Vault
) -> None:
    """Whatever an administrator has set for workers: a migration takes as long as it takes."""
    await older_schema(postgres_url, vault, "0005")
    name = make_url(postgres_url).database
    for limit in ("statement_timeout", "lock_timeout", "idle_session_timeout"):
        async with database.record() as connection:
            await connection.execute(text(f"ALTER DATABASE \"{name}\" SET {limit} = '200ms'"))
    lines = Lines()
    async with holding(postgres_url):
        migrating = asyncio.create_task(migrate(postgres_url, vault, say=lines.say))
        await lines.hear("(a-dump)")
        done, _ = await asyncio.wait({migrating}, timeout=2)
        assert not done
    assert await migrating == ("0005", _head())


@pytest.mark.parametrize("table", ["events", "links", "attempts", "outbox", "deliveries"])
async def test_a_reader_who_stays_is_named_and_harms_nothing(
    postgres_url: str, database: Database, vault: Vault, table: str
) -> None:
    """Whichever table it is: in the end it says who holds the lock; another run finishes it."""
    await older_schema(postgres_url, vault, "0005")
    async with holding(postgres_url, table=table):
        with pytest.raises(StillLocked, match=r"process \d+ \(a-dump\).*fanout migrate"):
            await migrate(postgres_url, vault, lock_wait_s=1)
    await migrate(postgres_url, vault)
    assert await check_schema(database) is None


@pytest.mark.parametrize("index", [INDEX, "ix_links_email_key", "ix_attempts_clear"])
async def test_an_index_that_was_cut_short_is_built_anew(
    postgres_url: str, database: Database, vault: Vault, index: str
) -> None:
    """An invalid one of the same name is no index; partial ones and those of expressions alike."""
    await older_schema(postgres_url, vault, "0007")
    table = index.split("_")[1]
    column = {"events": "received_at", "links": "email", "attempts": "number"}[table]
    async with database.outside_transactions() as connection:
        await connection.execute(text("SET lock_timeout = 300"))
        async with database.record() as held:
            await held.execute(text(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE"))
            with pytest.raises(StoreUnreachable):
                async with named_errors():
                    await connection.execute(
                        text(f"CREATE INDEX CONCURRENTLY {index} ON {table} ({column})")
                    )
    assert await valid(database, index) is False
    await migrate(postgres_url, vault)
    assert await valid(database, index) is True


async def test_what_was_interrupted_is_taken_up_again(
    postgres_url: str, database: Database, vault: Vault
) -> None:
    """Cancelled in the middle of a revision, again and again; the next one goes on from there."""
    await older_schema(postgres_url, vault, "0005")
    for table in ("credentials", "links", "answers"):  # of 0007, of 0008, of 0009
        lines = Lines()
        async with holding(postgres_url, table=table):
            migrating = asyncio.create_task(migrate(postgres_url, vault, say=lines.say))
            await lines.hear("(a-dump)")
            migrating.cancel()
            await asyncio.wait({migrating})
        assert "run: fanout migrate" in (await check_schema(database) or "")
    await migrate(postgres_url, vault)
    assert await check_schema(database) is None
    assert await valid(database, INDEX)


async def test_two_at_once_on_a_busy_database_take_turns(postgres_url: str, vault: Vault) -> None:
    """One waits and says so; none stands in the way of an index of the other."""
    await older_schema(postgres_url, vault, "0005")
    lines = Lines()
    async with holding(postgres_url):
        both = [asyncio.create_task(migrate(postgres_url, vault, say=lines.say)) for _ in range(2)]
        await lines.hear("another fanout migrate is running")
        await lines.hear("(a-dump)")
    assert sorted(await asyncio.gather(*both)) == [("0005", _head()), (_head(), _head())]


async def test_somebody_elses_table_is_not_taken_for_ours(
    postgres_url: str, database: Database, vault: Vault
) -> None:
    """Only what an interrupted migration left is left; a stranger of the same name is an error."""
    await older_schema(postgres_url, vault, "0005")
    async with database.record() as connection:
        await connection.execute(text("CREATE TABLE connects (theirs int)"))
    with pytest.raises(Exception, match="already exists"):
        await migrate(postgres_url, vault)


MIGRATE = """
import asyncio, sys
from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.migration.migrate import migrate
asyncio.run(migrate(sys.argv[1], Vault([sys.argv[2]]), say=lambda words: print(words, flush=True)))
"""


async def test_one_that_was_killed_stands_in_nobodys_way(
    postgres_url: str, database: Database
) -> None:
    """Killed while it builds an index, which takes long: the next one takes over within seconds."""
    key = new_key()
    vault = Vault([key])
    await older_schema(postgres_url, vault, "0005")
    lines = Lines()
    # It holds a snapshot, for which the building of an index waits, and no lock of ours.
    async with holding(postgres_url, table="alembic_version"):
        command = (sys.executable, "-c", MIGRATE, postgres_url, key)
        killed = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert killed.stdout is not None
        async with asyncio.timeout(30):
            while b"CREATE INDEX" not in await killed.stdout.readuntil(b"\n"):
                pass
        killed.kill()
        await killed.communicate()
        migrating = asyncio.create_task(migrate(postgres_url, vault, say=lines.say))
        await lines.hear("CREATE INDEX")
        assert lines.have("(a-dump)")
    assert (await migrating)[1] == _head()
    assert await check_schema(database) is None
    async with database.read() as connection:
        unfit = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
        assert (await connection.execute(text(unfit))).scalar_one() == 0
