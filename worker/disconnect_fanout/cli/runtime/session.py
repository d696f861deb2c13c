"""What most commands begin with: the configuration, and the database that it names."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.migration.migrate import check_schema
from disconnect_fanout.adapters.store.seals.event_seals import Seals, load_seals
from disconnect_fanout.app.settings import (
    Settings,
    SettingsError,
    load_configuration,
)
from disconnect_fanout.cli.runtime.left_out import leave_out
from disconnect_fanout.cli.screen.output import say
from disconnect_fanout.domain.bad_row import RowKind
from disconnect_fanout.flow.fact import Fact, RowSetAside
from disconnect_fanout.flow.left_out import LeftOutRow

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Session:
    """An open database and the keys to it."""

    settings: Settings
    database: Database
    vault: Vault

    async def seals(self) -> Seals:
        """Return what opens events and finds users.

        Raises:
            Unsealable: the configured keys do not open this database.
        """
        return await load_seals(self.database, self.vault)


def configuration() -> Settings:
    """Return the settings; warn of what in the configuration has no effect.

    Raises:
        SettingsError: with everything that is wrong.
    """
    found = load_configuration()
    for warning in found.warnings:
        say(f"fanout: warning: {warning}")
    return found.settings


@asynccontextmanager
async def opened() -> AsyncIterator[Session]:
    """Open the database that the configuration names.

    Raises:
        SettingsError: the configuration is wrong, or the database was never migrated.
        StoreUnreachable: it does not answer.
    """
    settings = configuration()
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    database.left_out.observe = leave_out
    try:
        if (problem := await check_schema(database)) is not None:
            raise SettingsError([problem])
        yield Session(settings, database, Vault(settings.secret_keys))
    finally:
        await database.close()


@asynccontextmanager
async def reading() -> AsyncIterator[Session]:
    """Open the database for a command that shows what is there: what it sets aside is named, too.

    Raises:
        SettingsError: the configuration is wrong, or the database was never migrated.
        StoreUnreachable: it does not answer.
    """
    async with opened() as session:
        session.database.set_aside.observe = _set_aside
        yield session


def _set_aside(fact: Fact) -> None:
    """A platform that can't be asked is shown all the same."""
    if isinstance(fact, RowSetAside) and fact.row.table is not RowKind.PLATFORMS:
        leave_out(LeftOutRow(fact.row.table.value, fact.row.id, fact.row.what))


def execute(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's work to its end."""
    return asyncio.run(work)
