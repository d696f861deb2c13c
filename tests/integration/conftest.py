"""An operator with a database, and the queue of rejected events with both its ends."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.harness.flow.unprocessable import AT
from tests.harness.servers.vhost import Vhost
from tests.harness.worker.operator import Operator

from disconnect_fanout.adapters.broker.connection import open_connection
from disconnect_fanout.adapters.broker.publisher import Publisher
from disconnect_fanout.adapters.broker.rejected_queue import AmqpRejectBox, RejectedQueue
from disconnect_fanout.adapters.broker.topology import Topology, declare
from disconnect_fanout.adapters.crypto.vault import Vault, new_key
from disconnect_fanout.adapters.store.migration.migrate import migrate

NOWHERE = "amqp://guest:guest@127.0.0.1:1/"


@pytest.fixture
def newcomer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    """An operator with an empty folder, without any configuration."""
    return Operator(tmp_path, monkeypatch, capsys)


def _operator(newcomer: Operator, url: str) -> Operator:
    key = new_key()
    asyncio.run(migrate(url, Vault([key])))
    newcomer.settings |= {
        "FANOUT_DATABASE_URL": url,
        "FANOUT_SECRET_KEY": key,
        "FANOUT_AMQP_URL": NOWHERE,
    }
    return newcomer


@pytest.fixture
def operator(newcomer: Operator, sqlite_url: str) -> Operator:
    """An operator with a migrated SQLite database and no broker."""
    return _operator(newcomer, sqlite_url)


@pytest.fixture
def any_operator(newcomer: Operator, database_url: str) -> Operator:
    """The same, once on each kind of database."""
    return _operator(newcomer, database_url)


@pytest.fixture
def topology(vhost: Vhost) -> Topology:
    """The names of this test."""
    return Topology(vhost.exchange, vhost.prefix)


@pytest.fixture
async def publisher(amqp_url: str, topology: Topology) -> AsyncIterator[Publisher]:
    """A publisher, with everything declared."""
    async with await open_connection(amqp_url, "test") as connection:
        await declare(connection, topology)
    publisher = Publisher(amqp_url, topology)
    yield publisher
    await publisher.close()


@pytest.fixture
def box(publisher: Publisher, topology: Topology) -> AmqpRejectBox:
    """Where the flow puts them."""
    return AmqpRejectBox(publisher, topology, lambda: AT)


@pytest.fixture
def rejected(publisher: Publisher, topology: Topology) -> RejectedQueue:
    """Where the operator finds them."""
    return RejectedQueue(publisher, topology)
