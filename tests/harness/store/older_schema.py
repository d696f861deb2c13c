"""A database as an older version of the program left it, for the tests of ``migrate``."""

import secrets
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.migration import migrations

_EVENTS = """
INSERT INTO events (id, content_hash, user_hash, sealed, disconnected_at, received_at, recipients,
 copies, writer)
SELECT 'evt_' || n, 'c', decode('00', 'hex'), decode('00', 'hex'), n, n, 0, 0, 'w'
FROM generate_series(1, :rows) n"""


async def older_schema(url: str, vault: Vault, revision: str, *, rows: int = 0) -> None:
    """Make a database of this revision.

    Args:
        url: of an empty database.
        vault: seals its key.
        revision: an older one.
        rows: of the history.
    """
    database = Database(url)
    try:
        async with database.record() as connection:
            await connection.run_sync(_upgrade, revision)
            installed = "INSERT INTO installation (id, lookup_key, flushes) VALUES (1, :key, 0)"
            sealed = vault.seal(secrets.token_bytes(32))
            await connection.execute(text(installed), {"key": sealed})
            if rows:
                await connection.execute(text(_EVENTS), {"rows": rows})
    finally:
        await database.close()


def _upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
