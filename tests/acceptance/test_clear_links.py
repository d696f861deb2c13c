"""The owner's SQL fills ``links`` while a worker runs, in whatever spelling: all are told."""

import asyncio
from datetime import UTC, datetime

from tests.harness.servers.receiver import Receiver
from tests.harness.store.examples import link
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.seals.event_seals import load_seals

MANY = 30_000
SPELLED = (
    "User{0}@Example.Com",
    "JOSÉ{0}@example.com",
    "jose\u0301{0}@Example.com",
    "User{0}@BÜCHER.example",
    "user{0}@XN--BCHER-KVA.example",
    "user{0}@example.com.",
)
PUBLISHED = (
    "user{0}@example.com",
    "josé{0}@example.com",
    "JOSÉ{0}@example.com",
    "user{0}@xn--bcher-kva.example",
    "user{0}@bücher.example",
    "USER{0}@example.com",
)


async def insert_clear(installation: Installation) -> None:
    """Insert them all in one transaction, as a reload of the directory does."""
    url = installation.settings["FANOUT_DATABASE_URL"]
    vault = Vault([installation.settings["FANOUT_SECRET_KEY"]])
    database = Database(url)
    try:
        world = SqlWorld(url, vault, await load_seals(database, vault))
        try:
            rows = (link(SPELLED[n % 6].format(n), "luma") for n in range(MANY))
            await world.insert_clear_links(*rows)
        finally:
            await world.close()
    finally:
        await database.close()


async def test_thirty_thousand_rows_and_at_once_a_hundred_events(
    any_installation: Installation,
) -> None:
    """Each event finds its row, sealed by then or not; none is called one for nobody."""
    installation = any_installation
    wanted = range(MANY - 1, MANY - 29_900, -299)  # from the end: the last ones to be sealed
    async with Receiver() as luma:
        await installation.register("luma", luma)
        async with installation.worker() as worker:
            await insert_clear(installation)
            events = [disconnect(f"evt_{n}", PUBLISHED[n % 6].format(n)) for n in wanted]
            await installation.publish(*events)
            await luma.received(len(wanted), within=20)
            metrics = await worker.metrics()
    assert metrics.value("fanout_events_total", outcome="no_recipients") == 0
    assert metrics.value("fanout_near_misses_total") == 0
    told = {request.json()["data"]["user_email"] for request in luma.requests}
    assert len(told) == len(wanted)


async def test_a_near_miss_is_counted_and_seen(installation: Installation) -> None:
    """Nobody is told, the metric is there from the start, and the event is found."""
    async with Receiver() as luma, asyncio.timeout(30):
        await installation.register("luma", luma)
        person = ("--email", "alice@example.com", "--google-id", "7", "--platform", "luma")
        at = datetime(2025, 1, 1, tzinfo=UTC).isoformat()
        await installation.ask("links", "add", *person, "--at", at)
        async with installation.worker() as worker:
            assert "fanout_near_misses_total 0.0" in await worker.exposition()
            await installation.publish(disconnect("evt_1"))
            await worker.metric_becomes("fanout_near_misses_total", 1)
            (found,) = await installation.ask("events", "list", "--near-miss")
    assert (found["event_id"], found["outcome"]) == ("evt_1", "no_recipients")
    assert luma.requests == []
