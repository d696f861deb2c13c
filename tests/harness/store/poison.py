"""Bad rows, as old versions, newer ones and an owner's SQL could have written them."""

from typing import Any

import orjson
from sqlalchemy import delete, update
from tests.harness.store.row_rules import insert_row
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.schema import tables
from disconnect_fanout.adapters.store.schema.api_tables import outbox
from disconnect_fanout.domain.bad_row import BadRow
from disconnect_fanout.flow.fact import RowSetAside

LINKS: tuple[dict[str, Any], ...] = (
    {"provider": "yahoo"},
    {"platform_id": "plat luma"},
    {"linked_at": -(10**15)},
    {"email": "", "google_id": "12 34"},  # that nobody is meant is no fault of the row
)
NEW_YEAR_S = 1_735_689_600
CLEAR: dict[str, Any] = {
    "email": "alice@example.com",
    "google_id": None,
    "provider": None,
    "platform_id": "luma",
    "linked_at": NEW_YEAR_S,
    "unlinked_at": None,
}
MEANINGLESS: list[dict[str, Any]] = [
    {"provider": "yahoo"},
    {"linked_at": -(10**15)},
    {"unlinked_at": -(2**62)},
    {"platform_id": "plat luma"},
    {"platform_id": ""},
]
LINK = {"linked_at": 1_577_836_800}
_EVENT = {
    "id": "evt_old", "content_hash": "", "user_hash": b"x", "disconnected_at": 0, "received_at": 0,
    "recipients": 4, "copies": 0, "writer": "",
}  # fmt: skip
_DELIVERY = {
    "event_id": "evt_old", "state": "pending", "attempts": 0, "step": 0, "replays": 0, "born_at": 0,
    "created_at": 0, "hastened": False,
}  # fmt: skip
_DELIVERIES: tuple[dict[str, Any], ...] = (
    {"next_at": 1},
    {"next_at": 1, "state": "quarantined"},
    {"reason": "superseded", "decided_at": 1},
)
_PROMISE = {"event_id": "evt_p", "user_hash": "", "created_at": 0, "taken_until": 0}
_JOB = {
    "id": "rep_bad", "state": "running", "selected": 0, "reconnected": 0, "slot_at": 0,
    "created_at": 0, "rate_per_s": 0.0,
}  # fmt: skip


async def poison_links(world: SqlWorld, email: str, platform_id: str) -> None:
    """Write links that can't be read, of a user who has good ones too."""
    for one in LINKS:
        row = {**LINK, "email": email, "platform_id": platform_id, **one}
        await insert_row(world, tables.links, row)


async def poison_deliveries(world: SqlWorld, platform_id: str) -> None:
    """Write an event that can't be read, and deliveries of it in states that nobody knows."""
    await insert_row(world, tables.events, _EVENT | {"sealed": _newer(world)})
    for number, row in enumerate(_DELIVERIES):
        mine = {"id": f"wh_del_{number}", "platform_id": platform_id}
        await insert_row(world, tables.deliveries, {**_DELIVERY, **mine, **row})


async def poison_outbox(world: SqlWorld, count: int = 1) -> None:
    """Write promises that can't be read, before all others."""
    for number in range(-count, 0):
        row = {**_PROMISE, "number": number, "sealed": _newer(world)}
        await insert_row(world, outbox, row)


async def poison_platforms(world: SqlWorld) -> None:
    """Write platforms that can't be asked: ``plat_rate`` and ``plat_scheme``."""
    await world.insert_platform("plat_rate", rate_per_s=0.0)
    await world.insert_platform("plat_scheme", scheme="hmac-sha3")


async def poison_replays(world: SqlWorld) -> None:
    """Write a job whose rate is none."""
    await insert_row(world, tables.replays, _JOB)


async def remove_deliveries(world: SqlWorld) -> None:
    """Take the bad events and deliveries out again, for whoever counts all there are."""
    async with world.database.record() as connection:
        for column in (tables.deliveries.c.event_id, tables.events.c.id):
            await connection.execute(delete(column.table).where(column == _EVENT["id"]))


def _newer(world: SqlWorld) -> bytes:
    return world.vault.seal(orjson.dumps({"provider": "proton"}))


def said(world: SqlWorld) -> list[BadRow]:
    """Collect what is set aside from now on."""
    rows: list[BadRow] = []

    def hear(fact: object) -> None:
        if isinstance(fact, RowSetAside):
            rows.append(fact.row)

    for one in world.databases:
        one.set_aside.observe = hear
    return rows


async def spoil_event(world: SqlWorld, event_id: str) -> None:
    """Seal what a newer version might have sealed."""
    newer = world.vault.seal(orjson.dumps({"id": event_id, "provider": "proton"}))
    mine = update(tables.events).where(tables.events.c.id == event_id)
    async with world.database.record() as connection:
        await connection.execute(mine.values(sealed=newer))
