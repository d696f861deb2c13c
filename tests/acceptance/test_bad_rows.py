"""Bad rows of every kind in one installation: the worker lives, and everybody else is told once."""

import json
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import update
from tests.harness.servers.receiver import Receiver
from tests.harness.store.poison import (
    LINK,
    poison_deliveries,
    poison_links,
    poison_outbox,
    poison_platforms,
    poison_replays,
)
from tests.harness.store.row_rules import behind, insert_row, lift_rules
from tests.harness.worker.api_process import ApiProcess
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation

from disconnect_fanout.adapters.store.schema import tables

ALICE, BOB = "alice@example.com", "bob@example.com"
LUMA: dict[str, Any] = {"email": ALICE, "platform_id": "plat_luma", **LINK}


async def checked(installation: Installation) -> None:
    """``fanout check`` lists each by table and id; a platform's is wrong, the others warn."""
    result = await installation.fanout("check", "-o", "json")
    assert result.exit_code == 3
    found = [one for one in json.loads(result.stdout) if one["check"] == "rows"]
    assert Counter((one["result"], one["detail"].split()[0]) for one in found) == {
        ("wrong", "platforms"): 2,
        ("warning", "links"): 3,
        ("warning", "deliveries"): 2,
        ("warning", "outbox"): 1,
        ("warning", "replays"): 1,
    }
    (unread,) = [one for one in json.loads(result.stdout) if one["check"] == "unreadable rows"]
    assert unread["detail"].startswith("1 of events can't be opened and wait")
    assert "alice" not in result.stdout


async def test_bad_rows_of_every_kind_harm_nobody_else(any_installation: Installation) -> None:
    """Told once each, waiting where the platform's row is bad; and whoever looks is told of them.

    The links that mean one thing only (``Google``, milliseconds) are told.
    """
    installation = any_installation
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        await installation.link([BOB], "plat_luma", "plat_rate", "plat_scheme")
        async with behind(installation) as world:
            await lift_rules(world)
            await poison_links(world, ALICE, "plat_luma")
            await poison_deliveries(world, "plat_luma")
            await poison_outbox(world)
            await poison_platforms(world)
            await poison_replays(world)
            await insert_row(world, tables.links, LUMA | {"provider": "Google"})
            later = {"email": "m@x.example", "linked_at": LUMA["linked_at"] * 1000}
            await insert_row(world, tables.links, LUMA | later)
        worker = installation.worker()
        try:
            await worker.start(ready_within=None)
            who = {"evt_a": ALICE, "evt_m": "m@x.example", **{f"evt_{n}": BOB for n in range(20)}}
            await installation.publish(
                *(disconnect(name, email, google_id=None) for name, email in who.items())
            )
            await luma.received(len(who))
            await installation.settled("delivered", len(who))
            for table in ("links", "events", "deliveries", "platforms", "outbox", "replays"):
                await worker.metric_becomes("fanout_rows_set_aside_total", 1, table=table)
            status, said = await worker.readyz()
            assert status == 503
            assert "plat_rate: rate_per_s" in said
            assert "plat_scheme: scheme" in said
            assert [one for one in worker.stderr.splitlines() if "begun again" in one] == []
            assert "alice" not in worker.stderr
            assert worker.running
        finally:
            await worker.close()
        await checked(installation)
    assert set(Counter(one.webhook_id for one in luma.requests).values()) == {1}
    states = Counter(
        (one["platform_id"], one["state"])
        for one in await installation.ask("deliveries", "list", "--limit", "1000")
        if one["event_id"] != "evt_old"
    )
    assert states == {
        ("plat_luma", "delivered"): len(who),
        ("plat_rate", "pending"): 20,
        ("plat_scheme", "pending"): 20,
    }


@pytest.mark.parametrize("google_id", ["12 34", "1.05942E+11"])
async def test_a_bad_google_id_of_the_owner_s_promises_what_can_be_told(
    any_installation: Installation, google_id: str
) -> None:
    """``DELETE`` answers 200, the platform is told without it, API and worker go on."""
    installation = any_installation
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        key = (await installation.ask("keys", "create", "--platform", "plat_luma"))["key"]
        async with behind(installation) as world:
            await lift_rules(world)
            await insert_row(world, tables.links, LUMA | {"google_id": google_id})
        async with (
            installation.worker() as worker,
            ApiProcess(installation.settings, installation.folder) as api,
        ):
            answer = await api.ask("DELETE", f"/v1/calendars/{ALICE}", ("X-API-Key", key))
            assert answer.status == 200
            (told,) = await luma.received(1)
            assert told.json()["data"]["google_id"] is None
            assert worker.running
            assert "begun again" not in worker.stderr + api.stderr


async def test_a_mended_platform_is_told_what_has_waited(installation: Installation) -> None:
    """Nothing died meanwhile; the worker is ready within seconds, without a restart."""
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        await installation.link(BOB, "plat_luma")
        async with behind(installation) as world:
            await lift_rules(world)
            mine = update(tables.platforms).where(tables.platforms.c.id == "plat_luma")
            async with world.database.record() as connection:
                await connection.execute(mine.values(timeout_s=-1.0))
            worker = installation.worker()
            try:
                await worker.start(ready_within=None)
                await installation.publish(disconnect("evt_1", BOB))
                while "plat_luma: timeout_s" not in (await worker.readyz())[1]:
                    assert worker.running
                await worker.metric_becomes("fanout_events_total", 1, outcome="fanned_out")
                assert luma.requests == []
                async with world.database.record() as connection:
                    await connection.execute(mine.values(timeout_s=5.0))
                await luma.received(1)
                await worker.ready()
            finally:
                await worker.close()
    assert len(luma.requests) == 1
