"""The servers that scenes share."""

import pytest
from tests.conftest import NewDatabase, NewVhost
from tests.faults.place import Servers


@pytest.fixture(scope="session")
def servers(new_vhost: NewVhost, new_postgres_database: NewDatabase) -> Servers:
    """Those of this run."""
    return Servers(new_vhost, new_postgres_database)
