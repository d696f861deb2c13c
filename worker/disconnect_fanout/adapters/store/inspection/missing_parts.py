"""Keys and indexes that somebody has dropped, looked for by ``fanout check``."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text

from disconnect_fanout.adapters.store import audit_trail
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.platforms import open_breakers
from disconnect_fanout.adapters.store.schema import api_tables
from disconnect_fanout.adapters.store.schema import connect_table as connects
from disconnect_fanout.adapters.store.schema.partial_indexes import INDEXES
from disconnect_fanout.adapters.store.schema.tables import metadata

_ELSEWHERE = (
    api_tables.outbox,
    audit_trail.audit,
    connects.connects,
    open_breakers.open_breakers,
)
"""Of the other modules that hold tables: imported, so that they are looked at too."""

_OF_EXPRESSIONS = ("ix_links_email_key", "ix_links_google_id_key")
"""Made by a migration alone: the inspector can't compare them."""

_LISTED = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index'",
    "postgresql": "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()",
}


@dataclass(frozen=True, slots=True)
class MissingParts:
    """What the database lacks.

    Attributes:
        keys: tables without their primary key: no worker can write them.
        indexes: by name; everything works without them, and takes long.
    """

    keys: Sequence[str]
    indexes: Sequence[str]


async def missing_parts(database: Database) -> MissingParts:
    """Compare the database with what the migrations have made.

    Raises:
        StoreUnreachable: the database does not answer.
    """
    async with database.read() as connection:
        return await connection.run_sync(_missing)


def _missing(connection: Connection) -> MissingParts:
    found = inspect(connection)
    there = set(connection.execute(text(_LISTED[connection.dialect.name])).scalars())
    wanted = [str(index.name) for table in metadata.sorted_tables for index in table.indexes]
    wanted += [str(index.name) for index in INDEXES]
    keys = [
        table.name
        for table in metadata.sorted_tables
        if not found.get_pk_constraint(table.name)["constrained_columns"]
    ]
    return MissingParts(keys, sorted({*wanted, *_OF_EXPRESSIONS} - there))
