"""The stores that every contract is tried on: in memory, SQLite, PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from tests.harness.fake_world import FakeWorld
from tests.harness.sql_world import SqlWorld
from tests.harness.store_world import Ports, World


@pytest.fixture
async def sql_world(database_url: str) -> AsyncIterator[SqlWorld]:
    """A migrated database, once on SQLite and once on PostgreSQL."""
    world = await SqlWorld.on(database_url)
    yield world
    await world.close()


@pytest.fixture(params=["fake", "sqlite", "postgres"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A store, once of each kind."""
    if request.param == "fake":
        yield FakeWorld()
        return
    url: str = request.getfixturevalue(f"{request.param}_url")
    opened = await SqlWorld.on(url)
    yield opened
    await opened.close()


@pytest.fixture
def worker(world: World) -> Ports:
    """The first worker's ports."""
    return world.worker
