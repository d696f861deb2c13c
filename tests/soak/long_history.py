"""A long history in bulk: a million deliveries, a tenth of them dead, in well under a minute.

Rows are written as workers would have left them, past the ORM and the flow: through them it would
take hours.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, insert, select, text

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.crypto.webhook_secret import new_secret
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema import tables
from disconnect_fanout.adapters.store.seals.event_seals import Seals, load_seals
from disconnect_fanout.domain.event import DisconnectEvent, Provider, Reason, User
from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.domain.platform import Scheme

PLATFORMS = tuple(f"plat_{nth:02}" for nth in range(10))
PER_EVENT = 4
_PAGE_EVENTS = 5_000
_AGE_MS = 30 * 86_400_000
# How they died, and how often among a thousand: most of them at one platform that is down.
_DEATHS: Sequence[tuple[int, str, str | None, int | None, str | None]] = (
    (600, "exhausted", "refused", 503, "5xx"),
    (150, "exhausted", "timed_out", None, "no complete answer within …"),
    (100, "exhausted", "unreachable", None, "Connection refused"),
    (50, "exhausted", "refused", 401, "4xx"),
    (40, "gone", "gone", 410, "4xx"),
    (30, "endpoint_disabled", None, None, None),
    (20, "blocked", "blocked", None, "the host's address is not a public one"),
    (10, "expired", "tls_failed", None, "TLS: certificate has expired"),
)
_DELIVERY = (
    "id", "event_id", "platform_id", "state", "attempts", "step", "replays", "next_at",
    "born_at", "reason", "decided_at", "last_result", "last_status", "last_error",
    "first_failed_at", "created_at", "settled_at",
)  # fmt: skip
_EVENT = (
    "id", "content_hash", "user_hash", "sealed", "disconnected_at", "received_at", "recipients",
    "copies", "writer",
)  # fmt: skip
_ATTEMPT = ("delivery_id", "number", "at", "result", "status", "duration_ms", "answer", "replay")


@dataclass(slots=True)
class _Rows:
    events: list[tuple[Any, ...]] = field(default_factory=list)
    deliveries: list[tuple[Any, ...]] = field(default_factory=list)
    attempts: list[tuple[Any, ...]] = field(default_factory=list)


def user(nth: int) -> str:
    """Return the address of the user of that event."""
    return f"user{nth}@example.com"


def event_id(nth: int) -> str:
    """Return the id of that event."""
    return f"evt_{nth:08}"


async def write_history(url: str, vault: Vault, *, deliveries: int, dead: int) -> None:
    """Fill a migrated, empty database.

    Args:
        url: the database's.
        vault: its keys.
        deliveries: how many in all; a multiple of ``PER_EVENT``.
        dead: how many of them are open dead letters.
    """
    database = Database(url)
    try:
        seals = await load_seals(database, vault)
        async with database.read() as connection:
            now_ms: int = (await connection.execute(select(database.now_ms))).scalar_one()
        await _register(database, vault)
        for page in _pages(seals, now_ms, deliveries, dead):
            await _load(database, tables.events, _EVENT, page.events)
            await _load(database, tables.deliveries, _DELIVERY, page.deliveries)
            await _load(database, tables.attempts, _ATTEMPT, page.attempts)
        if not database.sqlite:
            async with database.record() as connection:
                await connection.execute(text("ANALYZE"))  # as autovacuum does within a minute
    finally:
        await database.close()


async def _register(database: Database, vault: Vault) -> None:
    rows = [
        {
            "id": one,
            "name": one,
            "url": f"https://{one}.example.com/hook",
            "scheme": Scheme.STANDARD,
            "secret": vault.seal(new_secret(Scheme.STANDARD).encode()),
            "revision": 1,
            "enabled": True,
            "created_at": 0,
            "updated_at": 0,
        }
        for one in PLATFORMS
    ]
    async with database.record() as connection:
        await connection.execute(insert(tables.platforms), rows)


def _pages(seals: Seals, now_ms: int, deliveries: int, dead: int) -> Iterator[_Rows]:
    chance = random.Random(8472)  # noqa: S311 - the same history every time
    events = deliveries // PER_EVENT
    doomed = set(chance.sample(range(deliveries), dead))
    sealed = seals.seal_event(_event())  # one for all: opening is not what this is for
    deaths = [death for death in _DEATHS for _ in range(death[0])]
    for start in range(0, events, _PAGE_EVENTS):
        rows = _Rows()
        for nth in range(start, min(start + _PAGE_EVENTS, events)):
            at = now_ms - _AGE_MS + _AGE_MS * nth // events
            name = event_id(nth)
            rows.events.append(
                (
                    name, f"{nth:032x}", seals.user_hash(user(nth)), sealed, at // 1000, at,
                    PER_EVENT, 0, "soak",
                )
            )  # fmt: skip
            for which in range(PER_EVENT):
                platform = PLATFORMS[(nth + which * 3) % len(PLATFORMS)]
                dies = nth * PER_EVENT + which in doomed
                _add(rows, name, platform, at, chance.choice(deaths) if dies else None)
        yield rows


def _add(rows: _Rows, event: str, platform: str, at: int, death: Any) -> None:
    name, settled = delivery_id(event, platform), at + 250
    if death is None:
        rows.deliveries.append(
            (
                name, event, platform, "delivered", 1, 0, 0, None, at, None, None, "delivered", 200,
                None, None, at, settled,
            )
        )  # fmt: skip
        rows.attempts.append((name, 1, at, "delivered", 200, 84, "ok", False))
        return
    _, reason, result, status, error = death
    made = 0 if result is None else 10
    rows.deliveries.append(
        (
            name, event, platform, "dead", made, 9, 0, None, at, reason, settled, result, status,
            error, at if made else None, at, settled,
        )
    )  # fmt: skip
    if made:
        rows.attempts.append((name, made, at, result, status, 84, error or "", False))


def _event() -> DisconnectEvent:
    at = datetime(2025, 11, 21, 15, 45, tzinfo=UTC)
    return DisconnectEvent(
        "evt_soak", at, User("user@example.com", None), Provider.GOOGLE, at, Reason.REVOKED
    )


async def _load(
    database: Database, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Hand rows to the driver itself: PostgreSQL's COPY, SQLite's executemany."""
    async with database.record() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        if database.sqlite:
            names, marks = ", ".join(columns), ", ".join("?" * len(columns))
            await raw.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608
        else:
            await raw.copy_records_to_table(table.name, records=rows, columns=columns)
