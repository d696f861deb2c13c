"""The servers that the tests run against: real ones, private to this run, started on demand.

``TEST_AMQP_URL`` and ``TEST_POSTGRES_URL`` name servers to use instead. What must be crashed or
frozen is private in any case. Nothing is skipped: a missing server is installed, or is an error.

The servers live longer than any test's event loop and belong to none: they are started by plain
fixtures, and what a test awaits of them (``crash``, ``restart``) works under whatever loop it has.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.faults.report import pytest_terminal_summary
from tests.harness.servers.postgres import PrivatePostgres
from tests.harness.servers.postgres_install import ensure_binaries
from tests.harness.servers.rabbitmq import PrivateRabbitMQ
from tests.harness.servers.running_broker import running_broker
from tests.harness.servers.vhost import Vhost, Vhosts
from tests.harness.store.database_files import DatabaseFiles

from disconnect_fanout.demo.rabbitmq_install import ensure_server

__all__ = ["pytest_terminal_summary"]  # the faults by name, at the end of a run

NewVhost = Callable[[], Awaitable[Vhost]]
NewDatabase = Callable[[], Awaitable[str]]


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[PrivateRabbitMQ]:
    """The broker of this run. A test that crashes one takes ``own_rabbitmq``."""
    with running_broker() as broker:
        yield broker


@pytest.fixture(scope="session")
def new_vhost(request: pytest.FixtureRequest) -> Iterator[NewVhost]:
    """Makes a place at the broker, for a test that needs more than one."""
    given = os.environ.get("TEST_AMQP_URL")
    if given is None:
        yield Vhosts(request.getfixturevalue("rabbitmq")).fresh
        return
    # Imported when asked for, since the policy suite loads this file and stays under a second.
    from tests.harness.servers.vhost_given import GivenRabbitMQ  # noqa: PLC0415

    broker = GivenRabbitMQ(given)
    yield broker.fresh
    asyncio.run(broker.remove_all())


@pytest.fixture
async def vhost(new_vhost: NewVhost) -> Vhost:
    """This test's own place at the broker."""
    return await new_vhost()


@pytest.fixture
def amqp_url(vhost: Vhost) -> str:
    """Its URL alone."""
    return vhost.url


@pytest.fixture
async def own_rabbitmq() -> AsyncIterator[PrivateRabbitMQ]:
    """A broker that this test alone has, to crash, freeze and restart (4 s)."""
    async with PrivateRabbitMQ(ensure_server()) as broker:
        yield broker


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """The PostgreSQL of this run. A test that crashes one takes ``own_postgres``."""
    server = PrivatePostgres(ensure_binaries())
    try:
        asyncio.run(server.start())
        yield server
    finally:
        asyncio.run(server.stop())


@pytest.fixture(scope="session")
def new_postgres_database(request: pytest.FixtureRequest) -> Iterator[NewDatabase]:
    """Makes an empty PostgreSQL database and returns its URL."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given is None:
        private: PrivatePostgres = request.getfixturevalue("postgres")
        yield private.create_database
        return
    from tests.harness.servers.postgres_given import GivenPostgres  # noqa: PLC0415 - as above

    server = GivenPostgres(given)
    yield server.create_database
    asyncio.run(server.drop_databases())


@pytest.fixture
async def own_postgres() -> AsyncIterator[PrivatePostgres]:
    """A PostgreSQL that this test alone has, to crash, freeze and restart (1 s)."""
    async with PrivatePostgres(ensure_binaries()) as server:
        yield server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite database that does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'fanout.db'}"


@pytest.fixture
async def postgres_url(new_postgres_database: NewDatabase) -> str:
    """An empty PostgreSQL database of this test."""
    return await new_postgres_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of this test, which runs once on each kind."""
    kind = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}
    url: str = request.getfixturevalue(kind[request.param])
    return url


@pytest.fixture
def database_files(request: pytest.FixtureRequest, database_url: str) -> DatabaseFiles:
    """The files of this test's database, to be read past it; of a private server alone."""
    if database_url.startswith("sqlite"):
        return DatabaseFiles(database_url, None)
    server: PrivatePostgres = request.getfixturevalue("postgres")
    return DatabaseFiles(database_url, server.folder / "data")
