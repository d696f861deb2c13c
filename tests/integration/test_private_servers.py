"""The servers that the other tests stand on: what they keep, and that they leave nothing behind."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from tests.harness.servers import amqp
from tests.harness.servers.postgres import PrivatePostgres
from tests.harness.servers.processes import gone, processes_of
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.vhost import Vhost

from disconnect_fanout.demo.child_process import ChildFailedError
from disconnect_fanout.demo.rabbitmq_install import ensure_server

QUEUE = "kept"


@pytest.fixture(scope="module")
def broker() -> Iterator[PrivateRabbitMQ]:
    """A broker for this file, with one confirmed message in a quorum queue."""
    broker = PrivateRabbitMQ(ensure_server())
    try:
        asyncio.run(_start_and_publish(broker))
        yield broker
    finally:
        asyncio.run(broker.stop())


async def _start_and_publish(broker: PrivateRabbitMQ) -> None:
    await broker.start()
    await amqp.declare_quorum_queue(broker.url, QUEUE)
    await broker.flush_names()
    await amqp.publish(broker.url, "", QUEUE, b"kept")


async def _bodies(broker: PrivateRabbitMQ) -> list[bytes]:
    return [message.body for message in await amqp.browse(broker.url, QUEUE)]


async def test_a_crashed_broker_keeps_a_confirmed_message(broker: PrivateRabbitMQ) -> None:
    """What was confirmed before a kill -9 is there after the restart, on the same URL."""
    await broker.crash()
    with pytest.raises(ConnectionError):
        await amqp.depth(broker.url, QUEUE)
    await broker.restart()
    assert await _bodies(broker) == [b"kept"]


async def test_a_broker_that_restarts_in_order_keeps_it_too(broker: PrivateRabbitMQ) -> None:
    """A restart ends a running broker first and brings back what it had."""
    await broker.restart()
    assert await _bodies(broker) == [b"kept"]


async def test_a_frozen_broker_answers_nobody_until_it_is_thawed(broker: PrivateRabbitMQ) -> None:
    """Frozen, it lets every caller wait; thawed, it has lost nothing."""
    broker.freeze()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(amqp.depth(broker.url, QUEUE), 0.5)
    broker.thaw()
    assert await _bodies(broker) == [b"kept"]


async def test_two_brokers_run_side_by_side(
    rabbitmq: PrivateRabbitMQ, broker: PrivateRabbitMQ
) -> None:
    """Each has its own queues, and its own rabbitmqctl."""
    assert QUEUE in await broker.rabbitmqctl("list_queues", "name")
    assert QUEUE not in await rabbitmq.rabbitmqctl("list_queues", "name")


async def test_what_rabbitmqctl_says_is_in_the_error(rabbitmq: PrivateRabbitMQ) -> None:
    """A failing command is an error that has the reason in it."""
    with pytest.raises(ChildFailedError, match="does not exist"):
        await rabbitmq.rabbitmqctl("delete_user", "nobody")


async def test_two_vhosts_share_nothing(new_vhost: Callable[[], Awaitable[Vhost]]) -> None:
    """Two tests never meet at the broker, also not under the same queue name."""
    one, other = await new_vhost(), await new_vhost()
    for place in (one, other):
        await amqp.declare_quorum_queue(place.url, place.queue("events"))
    await amqp.publish(one.url, "", one.queue("events"), b"1", b"2")
    await amqp.depth_becomes(one.url, one.queue("events"), 2)
    assert await amqp.depth(other.url, other.queue("events")) == 0
    with pytest.raises(AssertionError, match="has 2 messages, and not 3"):
        await amqp.depth_becomes(one.url, one.queue("events"), 3, within=0.2)


async def test_a_crashed_postgres_keeps_a_committed_row(own_postgres: PrivatePostgres) -> None:
    """What was committed before a kill -9 is there after the restart, on the same URL."""
    dsn = _dsn(await own_postgres.create_database())
    await _insert_one(dsn)
    await own_postgres.crash()
    with pytest.raises(ConnectionRefusedError):
        await asyncpg.connect(dsn)
    await own_postgres.restart()
    assert await _rows(dsn) == 1


async def test_a_frozen_postgres_answers_nobody_until_it_is_thawed(
    own_postgres: PrivatePostgres,
) -> None:
    """Also its backends, which live outside of its process group, are frozen."""
    dsn = _dsn(await own_postgres.create_database())
    await _insert_one(dsn)
    connection = await asyncpg.connect(dsn)
    own_postgres.freeze()
    waiting = asyncio.create_task(connection.fetchval("SELECT count(*) FROM kept"))
    done, _ = await asyncio.wait({waiting}, timeout=0.5)
    assert not done
    own_postgres.thaw()
    assert await waiting == 1
    await connection.close()


def test_a_database_url_is_there_for_both_kinds(database_url: str) -> None:
    """Each store test runs once on SQLite and once on PostgreSQL."""
    assert database_url.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://"))


async def test_each_postgres_database_is_empty(
    new_postgres_database: Callable[[], Awaitable[str]],
) -> None:
    """Two tests never meet in a database."""
    one, other = _dsn(await new_postgres_database()), _dsn(await new_postgres_database())
    await _insert_one(one)
    await _insert_one(other)
    assert await _rows(one) == await _rows(other) == 1


@pytest.mark.parametrize("frozen", [False, True], ids=["running", "frozen"])
async def test_nothing_is_left_after_a_stop(frozen: bool) -> None:  # noqa: FBT001
    """Neither a process (the name server included) nor the folder, even of a frozen broker."""
    async with PrivateRabbitMQ(ensure_server()) as broker:
        assert processes_of(broker.folder) != []
        if frozen:
            broker.freeze()
    assert processes_of(broker.folder) == []
    assert not broker.folder.exists()


PROGRAM = """
import asyncio, sys
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from disconnect_fanout.demo.rabbitmq_install import ensure_server
from tests.harness.servers.postgres import PrivatePostgres
from tests.harness.servers.postgres_install import ensure_binaries

async def main():
    broker, database = PrivateRabbitMQ(ensure_server()), PrivatePostgres(ensure_binaries())
    await asyncio.gather(broker.start(), database.start())
    database.freeze()
    print(broker.folder, database.folder, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_nothing_is_left_when_the_parent_is_killed() -> None:
    """A kill -9 of the program that started them ends the servers and removes their folders."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    folders = [Path(folder) for folder in (await parent.stdout.readline()).decode().split()]
    assert [processes_of(folder) != [] for folder in folders] == [True, True]
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    await gone(*folders)


def _dsn(url: str) -> str:
    return url.replace("+asyncpg", "", 1)


async def _insert_one(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    await connection.close()


async def _rows(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    count: int = await connection.fetchval("SELECT count(*) FROM kept")
    await connection.close()
    return count
