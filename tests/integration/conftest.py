"""An operator with a database, for the tests of the command line."""

import asyncio
from pathlib import Path

import pytest
from tests.harness.operator import Operator

from disconnect_fanout.adapters.crypto.vault import Vault, new_key
from disconnect_fanout.adapters.store.schema import migrate

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
