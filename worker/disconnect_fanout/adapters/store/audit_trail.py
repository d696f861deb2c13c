"""Who changed what: one entry for each changing command, written before it acts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, Index, Integer, Row, String, Table, Text, select, update

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.rows.legible import legible
from disconnect_fanout.adapters.store.schema.tables import metadata
from disconnect_fanout.domain.instant import from_ms, to_ms

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),  # user@host, as the operating system has them
    Column("command", String(64), nullable=False),
    Column("arguments", Text, nullable=False),  # no secret and no address of a user
    Column("outcome", String(16)),  # None until the command has come to its end
    Column("counts", Text, nullable=False),  # JSON: names and whole numbers
    Index("ix_audit_at", "at"),
)

_SHOWN = ("at", "who", "command", "arguments", "outcome", "counts")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One changing command.

    Attributes:
        who: ``user@host``.
        arguments: as they were typed, without secrets and without what names a user.
        outcome: ``done``, ``failed`` or ``interrupted``; None while it runs, or if it was killed.
        counts: what it counted, by name.
    """

    at: datetime
    who: str
    command: str
    arguments: str
    outcome: str | None
    counts: Mapping[str, int]


class AuditTrail:
    """Writes and reads entries; nothing removes any."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, who: str, command: str, arguments: str) -> int:
        """Write down that a command is about to change something; return the entry's number."""
        entry = {"who": who, "command": command, "arguments": arguments, "counts": "{}"}
        begun = self._database.insert(audit).values(**entry, at=self._database.now_ms)
        async with self._database.record() as connection:
            number: int = (await connection.execute(begun.returning(audit.c.id))).scalar_one()
        return number

    async def finish(self, number: int, outcome: str, counts: Mapping[str, int]) -> None:
        """Write down how it ended."""
        end = {"outcome": outcome, "counts": orjson.dumps(counts).decode()}
        async with self._database.record() as connection:
            await connection.execute(update(audit).where(audit.c.id == number).values(end))

    async def all(
        self, since: datetime | None, until: datetime | None, limit: int
    ) -> list[AuditEntry]:
        """Return the entries of that time, the newest first."""
        wanted = select(audit).order_by(audit.c.at.desc(), audit.c.id.desc()).limit(limit)
        if since is not None:
            wanted = wanted.where(audit.c.at >= to_ms(since))
        if until is not None:
            wanted = wanted.where(audit.c.at <= to_ms(until))
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        return [_entry(row) for row in legible(self._database, audit, rows, _SHOWN, _uncounted)]


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        at=from_ms(row.at),
        who=row.who,
        command=row.command,
        arguments=row.arguments,
        outcome=row.outcome,
        counts=orjson.loads(row.counts),
    )


def _uncounted(row: Row[Any]) -> str | None:
    try:
        whole = isinstance(orjson.loads(row.counts), dict)
    except ValueError:
        whole = False
    return None if whole else "counts: is no JSON object"
