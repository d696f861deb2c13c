"""One damaged row in each table, beside good ones, and what is written into it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table, text
from tests.harness.store.examples import EXHAUSTED, attempted, event, intent, planned
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.audit_trail import audit
from disconnect_fanout.adapters.store.schema.api_tables import api_keys, credentials
from disconnect_fanout.adapters.store.schema.tables import (
    attempts,
    deliveries,
    events,
    links,
    platforms,
    replays,
)
from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.policy.change import LetterConfirmed
from disconnect_fanout.policy.decide import Delivered

ALICE = "alice@example.com"
BAD, GOOD = delivery_id("evt_bad", "luma"), delivery_id("evt_good", "luma")


@dataclass(frozen=True, slots=True)
class Damage:
    """A value that somebody's SQL wrote into one row.

    Attributes:
        everywhere: PostgreSQL takes it too; SQLite stores anything in any column.
    """

    table: Table
    column: str
    value: Any
    everywhere: bool = False

    def __str__(self) -> str:
        """Name it, for the list of tests."""
        return f"{self.table.name}.{self.column}={self.value!r}"

    async def do(self, world: SqlWorld) -> None:
        """Write it past the columns' types."""
        key, row = _ROWS[self.table.name]
        words = f"UPDATE {self.table.name} SET {self.column} = :value WHERE {key.name} = :row"  # noqa: S608
        async with world.database.record() as connection:
            await connection.execute(text(words), {"value": self.value, "row": row})


_ROWS: dict[str, tuple[Column[Any], Any]] = {
    "deliveries": (deliveries.c.id, BAD),
    "attempts": (attempts.c.delivery_id, BAD),
    "events": (events.c.id, "evt_bad"),
    "links": (links.c.platform_id, "luma"),
    "platforms": (platforms.c.id, "luma"),
    "replays": (replays.c.id, "rep_bad"),
    "audit": (audit.c.command, "platforms add"),
    "api_keys": (api_keys.c.platform_id, "luma"),
    "credentials": (credentials.c.id, 1),
}


def _texts(table: Table, *columns: str) -> list[Damage]:
    return [Damage(table, one, "x") for one in columns]


def _bytes(table: Table, *columns: str) -> list[Damage]:
    return [Damage(table, one, b"\xff") for one in columns]


DAMAGES = [
    Damage(deliveries, "decided_at", None, everywhere=True),
    Damage(audit, "counts", "nonsense", everywhere=True),
    Damage(audit, "counts", "[1]", everywhere=True),
    Damage(events, "sealed", b"x", everywhere=True),
    Damage(credentials, "sealed", b"x", everywhere=True),
    Damage(links, "sealed", b"x", everywhere=True),
    Damage(links, "provider", "yahoo", everywhere=True),
    *_texts(deliveries, "attempts", "created_at", "decided_at", "settled_at", "next_at"),
    *_texts(deliveries, "first_failed_at", "last_status", "replays"),
    *_bytes(deliveries, "reason", "last_result", "last_error", "state", "platform_id"),
    *_texts(attempts, "at", "status", "duration_ms"),
    *_texts(events, "disconnected_at", "received_at", "recipients", "near_misses", "copies"),
    *_texts(platforms, "created_at", "updated_at", "paused_at", "disabled_at", "old_secret_until"),
    *_bytes(platforms, "name", "url"),
    *_texts(replays, "selected", "reconnected", "created_at"),
    *_texts(audit, "at"),
    *_bytes(audit, "who", "arguments"),
    *_texts(api_keys, "created_at", "revoked_at", "user_id"),
    *_texts(credentials, "user_id", "team_id"),
]


async def past(world: SqlWorld) -> None:
    """Two events of one person, each delivered to boardy and dead at luma; two replays."""
    worker = world.worker
    for platform in ("boardy", "luma"):
        await world.add_platform(platform)
    for one in (event("evt_bad", ALICE), event("evt_good", ALICE)):
        told, dead = (planned(one, name, lease="mine") for name in ("boardy", "luma"))
        await worker.events.register([intent(one, told, dead)])
        changes = [
            attempted(told.id, "mine", Delivered(), platform_id="boardy"),
            attempted(dead.id, "mine", EXHAUSTED, answer="out of order"),
        ]
        await worker.ledger.commit(changes)
        await worker.ledger.commit([LetterConfirmed(dead.id, replays=0)])
    job = {"state": "paused", "selected": 1, "reconnected": 0, "slot_at": 0, "created_at": 0}
    async with world.database.record() as connection:
        for name in ("rep_bad", "rep_good"):
            await connection.execute(replays.insert().values(id=name, **job))
