"""``fanout migrate``: the database and the topology, created or brought up to date."""

import asyncio
from dataclasses import dataclass

from disconnect_fanout.adapters.broker.topology import declare
from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.migration.migrate import migrate as migrate_database
from disconnect_fanout.cli.runtime.broker_session import publishing
from disconnect_fanout.cli.runtime.session import configuration, execute
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_one


@dataclass(frozen=True, slots=True)
class _Migrated:
    database_before: str | None
    database: str
    queues: tuple[str, ...]


def migrate(output: OutputOption = Output.TABLE) -> None:
    r"""Create or upgrade the database and declare the exchange and the queues.

    Harmless when there is nothing to do. Run it once before the workers of a new version; those of
    the old one go on meanwhile. On PostgreSQL it waits for whoever holds a lock, up to ten minutes,
    and says for whom; interrupted, it is taken up again by running it again.

    \b
    Example:
      fanout migrate
    """
    show_one(execute(_migrate()), output)


async def _migrate() -> _Migrated:
    settings = configuration()
    url = settings.database_url.get_secret_value()
    try:
        before, after = await migrate_database(url, Vault(settings.secret_keys), say=_say)
    except asyncio.CancelledError:  # Ctrl-C
        _say("interrupted; what was done stays, and fanout migrate goes on from there")
        raise
    async with publishing(settings, "fanout migrate") as (publisher, topology):
        await declare(await publisher.connection(), topology)
    return _Migrated(before, after, tuple(topology.queues))


def _say(words: str) -> None:
    say(f"fanout: {words}")
