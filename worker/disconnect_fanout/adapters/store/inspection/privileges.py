"""What a worker's role must be allowed in PostgreSQL, table by table, asked by ``fanout check``.

SQLite has no roles. What a trigger refuses is found by trying (``trial``, the event's probe).
"""

from collections.abc import Sequence

from sqlalchemy import text

from disconnect_fanout.adapters.store.database import Database

_ALL = "SELECT INSERT UPDATE DELETE"
NEEDED = {
    "answers": "SELECT DELETE",
    "attempts": _ALL,
    "connects": "SELECT INSERT DELETE",
    "credentials": "SELECT UPDATE",
    "deliveries": _ALL,
    "duties": _ALL,
    "events": _ALL,
    "installation": "SELECT UPDATE",
    "links": "SELECT UPDATE",
    "open_breakers": "SELECT INSERT UPDATE DELETE",
    "outbox": "SELECT UPDATE DELETE",
    "platforms": "SELECT UPDATE",
    "replay_items": "SELECT UPDATE DELETE",
    "replays": "SELECT UPDATE DELETE",
    "secret_keys": "SELECT INSERT UPDATE",
    "unreadable_rows": "SELECT INSERT DELETE",
}
"""What ``fanout run`` does with each table; commands and ``fanout api`` do more with some."""

_LACKING = text(
    "SELECT name, privilege FROM unnest(CAST(:names AS text[]), CAST(:privileges AS text[]))"
    " AS wanted(name, privilege) WHERE to_regclass(name) IS NOT NULL"
    " AND NOT has_table_privilege(to_regclass(name), privilege)"
)


async def lacking_privileges(database: Database) -> Sequence[str]:
    """Return what is not allowed, such as ``DELETE ON events``.

    Raises:
        StoreUnreachable: the database does not answer.
    """
    if database.sqlite:
        return ()
    wanted = [(name, one) for name, all_ in NEEDED.items() for one in all_.split()]
    names, privileges = zip(*wanted, strict=True)
    async with database.read() as connection:
        found = await connection.execute(
            _LACKING, {"names": list(names), "privileges": list(privileges)}
        )
        return [f"{row.privilege} ON {row.name}" for row in found]
