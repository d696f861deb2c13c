"""The stores that every contract is tried on: in memory, SQLite, PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from tests.harness.fakes.world import FakeWorld
from tests.harness.store.sql_world import SqlWorld
from tests.harness.store.world import Ports, World


@pytest.fixture
async def sql_world(database_url: str) -> AsyncIterator[SqlWorld]:
    """A migrated database, once on SQLite and once on PostgreSQL."""
    world = await SqlWorld.on(database_url)
    yield world
    await world.close()


@pytest.fixture(params=["fake", "sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str | None:
    """An empty database, or None for the store in memory."""
    if request.param == "fake":
        return None
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def world(store_url: str | None) -> AsyncIterator[World]:
    """A store, once of each kind."""
    opened = FakeWorld() if store_url is None else await SqlWorld.on(store_url)
    yield opened
    await opened.close()


@pytest.fixture
def worker(world: World) -> Ports:
    """The first worker's ports."""
    return world.worker
