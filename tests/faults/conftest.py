"""The servers that scenes share, and the report in which all of them end."""

import pytest
from tests.conftest import NewDatabase, NewVhost
from tests.faults.place import Servers
from tests.faults.report import Report


@pytest.fixture(scope="session")
def servers(new_vhost: NewVhost, new_postgres_database: NewDatabase) -> Servers:
    """Those of this run."""
    return Servers(new_vhost, new_postgres_database)


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    """Printed when all is done."""
    made = Report()
    request.config.pluginmanager.register(made)
    return made
