"""Each acceptance test has an installation of its own, driven from outside."""

from pathlib import Path

import pytest
from tests.harness.servers.vhost import Vhost
from tests.harness.worker.installation import Installation


@pytest.fixture
async def installation(vhost: Vhost, sqlite_url: str, tmp_path: Path) -> Installation:
    """Migrated, on SQLite, with nothing registered."""
    made = Installation(vhost, sqlite_url, tmp_path)
    await made.migrate()
    return made


@pytest.fixture
async def postgres_installation(vhost: Vhost, postgres_url: str, tmp_path: Path) -> Installation:
    """Migrated, on PostgreSQL, with nothing registered."""
    made = Installation(vhost, postgres_url, tmp_path)
    await made.migrate()
    return made


@pytest.fixture
async def any_installation(vhost: Vhost, database_url: str, tmp_path: Path) -> Installation:
    """Migrated, once on each kind of database."""
    made = Installation(vhost, database_url, tmp_path)
    await made.migrate()
    return made
