"""What a role must be allowed in PostgreSQL, table by table, asked by ``fanout check``.

SQLite has no roles. What a trigger refuses is found by trying (``trial``, the event's probe).
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import text

from disconnect_fanout.adapters.store.database import Database

Needs: TypeAlias = Mapping[str, str]

_ALL = "SELECT INSERT UPDATE DELETE"
NEEDED: Needs = {
    "answers": _ALL,
    "attempts": _ALL,
    "connects": "SELECT DELETE",
    "credentials": "SELECT UPDATE",
    "deliveries": _ALL,
    "duties": _ALL,
    "events": _ALL,
    "installation": "SELECT UPDATE",
    "links": "SELECT UPDATE",
    "open_breakers": "SELECT INSERT DELETE",
    "outbox": "SELECT UPDATE DELETE",
    "platforms": "SELECT UPDATE",
    "replay_items": "SELECT UPDATE DELETE",
    "replays": "SELECT UPDATE DELETE",
    "secret_keys": "SELECT INSERT UPDATE",
    "unreadable_rows": "SELECT INSERT DELETE",
}
"""What ``fanout run`` does with each table; to lock a row is an UPDATE to PostgreSQL."""

MANAGED: Needs = {**NEEDED, "connects": "SELECT INSERT DELETE", "links": "SELECT INSERT UPDATE"}
"""With ``FANOUT_DIRECTORY=managed``, where it learns links from events."""

API: Needs = {
    "answers": "SELECT INSERT UPDATE",
    "api_keys": "SELECT",
    "credentials": "SELECT DELETE",
    "installation": "SELECT UPDATE",
    "links": "SELECT UPDATE",
    "outbox": _ALL,
    "secret_keys": "SELECT INSERT UPDATE",
}
"""What ``fanout api`` does; commands do more with some."""

_NUMBERS = {"links": "id", "outbox": "number"}
"""Counted by a sequence, which is a thing of its own to PostgreSQL."""

_LACKING = text(
    "SELECT name, privilege FROM unnest(CAST(:names AS text[]), CAST(:privileges AS text[]))"
    " AS wanted(name, privilege) WHERE to_regclass(name) IS NOT NULL"
    " AND NOT has_table_privilege(to_regclass(name), privilege)"
)
_LACKING_SEQUENCES = text(
    "SELECT CAST(CAST(counter AS regclass) AS text) AS name"
    " FROM unnest(CAST(:names AS text[]), CAST(:columns AS text[])) AS wanted(name, key),"
    " LATERAL (SELECT pg_get_serial_sequence(name, key) AS counter"
    "  WHERE to_regclass(name) IS NOT NULL) AS counters"
    " WHERE counter IS NOT NULL AND NOT has_sequence_privilege(counter, 'USAGE, UPDATE')"
)


async def lacking_privileges(database: Database, needed: Needs = NEEDED) -> Sequence[str]:
    """Return what is not allowed, such as ``DELETE ON events``.

    Raises:
        StoreUnreachable: the database does not answer.
    """
    if database.sqlite:
        return ()
    wanted = [(name, one) for name, all_ in needed.items() for one in all_.split()]
    names, privileges = zip(*wanted, strict=True)
    counted = [name for name, one in wanted if one == "INSERT" and name in _NUMBERS]
    columns = [_NUMBERS[name] for name in counted]
    async with database.read() as connection:
        tables = await connection.execute(
            _LACKING, {"names": list(names), "privileges": list(privileges)}
        )
        found = [f"{row.privilege} ON {row.name}" for row in tables]
        counters = await connection.execute(
            _LACKING_SEQUENCES, {"names": counted, "columns": columns}
        )
        return [*found, *(f"USAGE ON SEQUENCE {row.name}" for row in counters)]
