"""The database goes away under load and comes back: nothing lost, nothing twice, no restart."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.harness.servers.answer import Answer
from tests.harness.servers.postgres import PrivatePostgres
from tests.harness.servers.receiver import Receiver
from tests.harness.servers.vhost import Vhost
from tests.harness.store.outage import OUTAGE_S, lasts
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation
from tests.harness.worker.process import WorkerProcess
from tests.harness.worker.small_disk import SmallDisk

BATCH = 50
BATCHES = 16
EVENTS = BATCH * BATCHES
PLATFORMS = ("boardy", "calcom", "luma")
BEFORE = 3 * BATCH
"""Requests to each platform after which the database goes away; most events are yet to come."""
IN_FLIGHT = 64
"""Requests to one platform from two workers at one instant, at most."""
WITHIN_S = 60 + 2 * OUTAGE_S


@asynccontextmanager
async def platforms(installation: Installation) -> AsyncIterator[Sequence[Receiver]]:
    """Three of them, linked to all users, each answering after a moment."""
    users = [f"user{n}@example.com" for n in range(EVENTS)]
    async with AsyncExitStack() as stack:
        receivers = [
            await stack.enter_async_context(Receiver(Answer(delay=0.02))) for _ in PLATFORMS
        ]
        for name, receiver in zip(PLATFORMS, receivers, strict=True):
            await installation.register(name, receiver)
        await installation.link(users, *PLATFORMS)
        yield receivers


async def load(installation: Installation, receiver: Receiver, outage: asyncio.Event) -> None:
    """Publish batch by batch: as fast as they are told, and in the outage all the same."""
    for batch in range(BATCHES):
        first = batch * BATCH
        await installation.publish(*map(_event, range(first, first + BATCH)))
        told = asyncio.create_task(receiver.received(first + BATCH // 2, within=WITHIN_S))
        over = asyncio.create_task(outage.wait())
        await asyncio.wait({told, over}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        over.cancel()


async def each_told_once(
    installation: Installation, receivers: Sequence[Receiver], *, twice: int = 0
) -> None:
    """Claim that every platform has heard every event, and at most ``twice`` of them twice."""
    found = await installation.settled("delivered", len(PLATFORMS) * EVENTS, within=WITHIN_S)
    await installation.depth_becomes("events", 0)
    assert len(found) == len(PLATFORMS) * EVENTS
    for receiver in receivers:
        told = Counter(request.webhook_id for request in receiver.requests)
        assert len(told) == EVENTS
        assert max(told.values()) <= 2
        assert told.total() - EVENTS <= twice
    assert all(one["attempts"] == 1 for one in found)
    balance = await installation.ask("deliveries", "balance")
    assert (balance["closed"], balance["delivered"]) == (True, len(PLATFORMS) * EVENTS)


async def still_the_same(*workers: tuple[WorkerProcess, int]) -> None:
    """Claim that these processes have lived through it, know of it, and are ready again."""
    for worker, pid in workers:
        assert (worker.running, worker.pid) == (True, pid)
        await worker.ready(within=WITHIN_S)


def _event(number: int) -> dict[str, Any]:
    return disconnect(f"evt_{number}", f"user{number}@example.com", google_id=None)


@pytest.mark.parametrize(
    ("ends", "twice"),
    [(PrivatePostgres.halt, 0), (PrivatePostgres.crash, IN_FLIGHT)],
    ids=["stopped", "killed"],
)
async def test_postgres_goes_and_comes_back_under_load(
    vhost: Vhost,
    own_postgres: PrivatePostgres,
    tmp_path: Path,
    ends: Callable[[PrivatePostgres], Awaitable[None]],
    twice: int,
) -> None:
    """Two workers, the same before and after: each event is told to each platform, and once.

    Killed, PostgreSQL loses what it had not written yet: what was being sent may be sent again.
    """
    url = await own_postgres.create_database()
    installation = Installation(vhost, url, tmp_path)
    await installation.migrate()
    away = asyncio.Event()
    async with (
        platforms(installation) as receivers,
        installation.worker("first") as first,
        installation.worker("other") as other,
    ):
        pids = [(worker, worker.pid) for worker in (first, other)]
        publishing = asyncio.create_task(load(installation, receivers[0], away))
        await receivers[0].received(BEFORE, within=WITHIN_S)
        await ends(own_postgres)
        away.set()
        told = [len(receiver.requests) for receiver in receivers]
        await lasts()
        await publishing
        assert max(told) < EVENTS, "the outage came too late to matter"
        await own_postgres.start()
        await each_told_once(installation, receivers, twice=twice)
        await still_the_same(*pids)


async def test_a_full_disk_under_load_and_room_again(vhost: Vhost, tmp_path: Path) -> None:
    """SQLite: what could not be written waits, and is written when it can be."""
    away = asyncio.Event()
    async with SmallDisk(tmp_path / "disk") as disk:
        url = f"sqlite+aiosqlite:///{disk.folder / 'fanout.db'}"
        installation = Installation(vhost, url, tmp_path, FANOUT_LOG_LEVEL="error")
        await installation.migrate()
        async with platforms(installation) as receivers, installation.worker() as worker:
            pid = worker.pid
            publishing = asyncio.create_task(load(installation, receivers[0], away))
            await receivers[0].received(BEFORE, within=WITHIN_S)
            disk.fill(pid)
            await worker.metric_becomes("fanout_outages_total", 1, within=30, what="database")
            away.set()
            told = [len(receiver.requests) for receiver in receivers]
            await lasts()
            await publishing
            assert max(told) < EVENTS, "the disk was full too late to matter"
            disk.free()
            await each_told_once(installation, receivers)
            await still_the_same((worker, pid))
