"""Replays at full size: a minute at a rate; 100,000 among 1,000,000, with everybody killed."""

import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.harness.servers.receiver import Receiver
from tests.harness.servers.vhost import Vhost
from tests.harness.worker.installation import Installation
from tests.harness.worker.replay_scene import (
    dead_letters,
    rate_seen,
    replay_killed_everywhere,
    world_of,
)
from tests.soak.long_history import write_history

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.schema.tables import platforms

DELIVERIES, DEAD = 1_000_000, 100_000
LUMA = "plat_luma"


async def told_at(receiver: Receiver, installation: Installation) -> None:
    """Let all platforms of the long history receive here."""
    async with world_of(installation) as world, world.database.record() as connection:
        await connection.execute(update(platforms).values(url=receiver.url, timeout_s=1.0))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("workers", [1, 2])
async def test_twenty_a_second_for_a_minute(
    vhost: Vhost, postgres_url: str, tmp_path: Path, workers: int
) -> None:
    """The receiver's own count over a minute, within a tenth; with two workers as well."""
    installation = Installation(vhost, postgres_url, tmp_path)
    await installation.migrate()
    async with Receiver() as luma:
        await installation.register(LUMA, luma)
        await dead_letters(installation, 1600)
        async with installation.worker("first") as first:
            if workers == 1:
                seen = await rate_seen(installation, luma, 20, window_s=60)
            else:
                async with installation.worker("second"):
                    seen = await rate_seen(installation, luma, 20, window_s=60)
            assert first.running
    print(f"{workers} worker(s): {seen:.2f}/s over a minute")  # noqa: T201 - what a soak is for
    assert seen == pytest.approx(20, rel=0.1)


@pytest.mark.timeout(3600)
async def test_a_hundred_thousand_among_a_million_survive_the_death_of_everybody(
    vhost: Vhost, database_url: str, tmp_path: Path
) -> None:
    """Each is received, twice only what was in flight at a kill, and the queue is right."""
    installation = Installation(vhost, database_url, tmp_path)
    await installation.migrate()
    vault = Vault([installation.settings["FANOUT_SECRET_KEY"]])
    await write_history(database_url, vault, deliveries=DELIVERIES, dead=DEAD)
    async with Receiver() as receiver:
        await told_at(receiver, installation)
        async with installation.worker(FANOUT_LOG_LEVEL="error") as worker:
            began = time.monotonic()
            await installation.depth_becomes("dead", DEAD, within=300)
            print(f"letters published: {time.monotonic() - began:.0f} s")  # noqa: T201
            began = time.monotonic()
            await replay_killed_everywhere(installation, receiver, worker, DEAD)
            took = time.monotonic() - began
    again = len(receiver.requests) - DEAD
    most = max(Counter(one.webhook_id for one in receiver.requests).values())
    print(f"replayed in {took:.0f} s; {again} twice, none more than {most} times")  # noqa: T201
