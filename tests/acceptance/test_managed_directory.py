"""FANOUT_DIRECTORY=managed: events alone open and close links."""

from pathlib import Path

import pytest
from tests.harness.servers.receiver import Receiver
from tests.harness.servers.vhost import Vhost
from tests.harness.worker.disconnect import EXAMPLE_AT, connect, disconnect
from tests.harness.worker.installation import Installation

LATER, MUCH_LATER = "2025-11-21T15:50:00Z", "2025-11-21T16:00:00Z"


@pytest.fixture
async def managed(vhost: Vhost, database_url: str, tmp_path: Path) -> Installation:
    """Migrated, once on each kind of database; nobody ever adds a link by hand."""
    made = Installation(vhost, database_url, tmp_path, FANOUT_DIRECTORY="managed")
    await made.migrate()
    return made


async def links(installation: Installation) -> dict[str, list[str | None]]:
    """When each platform's links to alice end, the newest first."""
    found: dict[str, list[str | None]] = {}
    for one in await installation.ask("links", "list", "--email", "alice@example.com"):
        found.setdefault(one["platform_id"], []).append(one["unlinked_at"])
    return found


async def test_connects_and_disconnects_keep_the_directory(managed: Installation) -> None:
    """Connected, told, closed; who connects again is told of the next end, and nobody else."""
    async with Receiver() as luma, Receiver() as cal:
        await managed.register("plat_luma", luma)
        await managed.register("plat_cal", cal)
        async with managed.worker() as worker:
            both = (connect("evt_c1", "plat_luma"), connect("evt_c2", "plat_cal"))
            await managed.publish_connects(*both, both[0])
            await worker.metric_becomes("fanout_events_total", 2, outcome="linked")
            await worker.metric_becomes("fanout_events_total", 1, outcome="duplicate")
            await managed.publish(disconnect("evt_d1"))
            await luma.received(1)
            await cal.received(1)
            assert await links(managed) == {"plat_luma": [EXAMPLE_AT], "plat_cal": [EXAMPLE_AT]}
            await managed.publish_connects(connect("evt_c3", "plat_cal", connected_at=LATER))
            await worker.metric_becomes("fanout_events_total", 3, outcome="linked")
            await managed.publish(disconnect("evt_d2", disconnected_at=MUCH_LATER))
            await cal.received(2)
            await managed.settled("delivered", 3)
            assert "alice" not in worker.stderr
        assert await links(managed) == {
            "plat_luma": [EXAMPLE_AT],
            "plat_cal": [MUCH_LATER, EXAMPLE_AT],
        }
    assert [len(one.requests) for one in (luma, cal)] == [1, 2]
    assert (await managed.ask("deliveries", "balance"))["difference"] == 0


async def test_a_connect_that_comes_after_its_disconnect_is_told_then(
    managed: Installation,
) -> None:
    """Its link is closed from the start; one that began later is open, and told of nothing."""
    async with Receiver() as luma, Receiver() as cal:
        await managed.register("plat_luma", luma)
        await managed.register("plat_cal", cal)
        async with managed.worker() as worker:
            await managed.publish(disconnect("evt_d"))
            await worker.metric_becomes("fanout_events_total", 1, outcome="no_recipients")
            await managed.publish_connects(
                connect("evt_c1", "plat_luma", connected_at=EXAMPLE_AT),
                connect("evt_c2", "plat_cal", connected_at=LATER),
            )
            await luma.received(1)
            await worker.metric_becomes("fanout_events_total", 2, outcome="linked")
            await managed.settled("delivered", 1)
        assert await links(managed) == {"plat_luma": [EXAMPLE_AT], "plat_cal": [None]}
    assert luma.requests[0].json()["data"]["disconnected_at"] == EXAMPLE_AT
    assert cal.requests == []
    assert await managed.ask("events", "list", "--outcome", "no_recipients") == []


async def test_a_wrong_connect_is_kept_with_its_reason(managed: Installation) -> None:
    """Rejected like any other event; the next one is learnt."""
    async with Receiver() as luma:
        await managed.register("plat_luma", luma)
        async with managed.worker() as worker:
            await managed.publish_connects(
                connect("evt_c1", "plat_luma", provider="yahoo"),
                connect("evt_c2", "plat_luma"),
                connect("evt_c2", "plat_cal"),
            )
            await worker.metric_becomes("fanout_events_total", 2, outcome="rejected")
            await worker.metric_becomes("fanout_events_total", 1, outcome="linked")
    rejected = await managed.ask("rejected", "list")
    assert [(one["reason"], one["event_id"]) for one in rejected] == [
        ("malformed", "evt_c1"),
        ("id_conflict", "evt_c2"),
    ]


async def test_an_external_directory_takes_no_connects(managed: Installation) -> None:
    """The binding is there from before; the event is kept, and its reason says what to set."""
    managed.settings["FANOUT_DIRECTORY"] = "external"
    async with Receiver() as luma:
        await managed.register("plat_luma", luma)
        async with managed.worker() as worker:
            await managed.publish_connects(connect("evt_c1", "plat_luma"))
            await worker.metric_becomes("fanout_events_total", 1, outcome="rejected")
    (rejected,) = await managed.ask("rejected", "list")
    assert (rejected["reason"], rejected["event_id"]) == ("malformed", "evt_c1")
    assert "FANOUT_DIRECTORY=managed" in rejected["detail"]
    assert await links(managed) == {}
