"""`privacy forget` while workers and the API run: no byte of the database names the person."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update
from tests.harness.servers.answer import Answer, Script
from tests.harness.servers.received import Received
from tests.harness.servers.receiver import Receiver
from tests.harness.servers.vhost import Vhost
from tests.harness.store.database_files import DatabaseFiles, found_in
from tests.harness.worker.api_process import ApiProcess
from tests.harness.worker.disconnect import EXAMPLE_AT, connect, disconnect
from tests.harness.worker.installation import Installation
from tests.harness.worker.process import WorkerProcess

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import attempts, clear_answer, links

ALICE, BOB = "Alice.Canary@example.com", "bob@example.com"
GOOGLE_ID = "105942374304"
FORGET = ("privacy", "forget", "--email", ALICE, "--discard", "--yes")


@pytest.fixture
async def managed(vhost: Vhost, database_url: str, tmp_path: Path) -> Installation:
    """Where events, commands and the owner's SQL all write links."""
    made = Installation(
        vhost, database_url, tmp_path, FANOUT_DIRECTORY="managed", FANOUT_RETRY_SCHEDULE="1s"
    )
    await made.migrate()
    return made


def echo(status: int, *, delay: float = 0.0) -> Script:
    """Answer with all that was asked."""

    def answer(request: Received) -> Answer:
        return Answer(status=status, body=request.body, delay=delay)

    return answer


@asynccontextmanager
async def database(installation: Installation) -> AsyncIterator[Database]:
    """The database behind the commands' back."""
    opened = Database(installation.settings["FANOUT_DATABASE_URL"])
    try:
        yield opened
    finally:
        await opened.close()


async def owners_links(installation: Installation, *platforms: str) -> None:
    """Write links as the owner of the directory does."""
    rows = [
        {"email": ALICE, "google_id": GOOGLE_ID, "platform_id": one, "linked_at": 1}
        for one in platforms
    ]
    async with database(installation) as opened, opened.record() as connection:
        await connection.execute(insert(links), rows)


async def in_clear(installation: Installation, answer: str) -> None:
    """Turn all answers into what an earlier version wrote."""
    async with database(installation) as opened, opened.record() as connection:
        await connection.execute(update(attempts).values(answer=answer, sealed=None))


async def plaintext_answers(installation: Installation) -> int:
    """Count what no worker has sealed yet."""
    count = select(func.count()).select_from(attempts).where(clear_answer)
    async with database(installation) as opened, opened.read() as connection:
        return int((await connection.execute(count)).scalar_one())


@asynccontextmanager
async def traffic(installation: Installation) -> AsyncIterator[None]:
    """Publish disconnects of somebody else, one after the other, all the time."""

    async def publish() -> None:
        number = 0
        while True:
            await installation.publish(disconnect(f"evt_bob_{number}", BOB, google_id=None))
            number += 1

    task = asyncio.create_task(publish())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def past(installation: Installation, api: ApiProcess, worker: WorkerProcess) -> None:
    """Alice is known in every way that there is."""
    await installation.link(ALICE, "plat_boardy", "plat_luma")
    await installation.link(BOB, "plat_luma")
    await owners_links(installation, "plat_cal", "plat_luma")
    await installation.publish_connects(
        connect("evt_c1", "plat_cal", user_email=ALICE, google_id=GOOGLE_ID)
    )
    await worker.metric_becomes("fanout_events_total", 1, outcome="linked")
    await installation.ask(
        "credentials", "add", "--id", "7", "--type", "google_calendar", "--user-id", "7",
        "--email", ALICE, "--google-id", GOOGLE_ID,
    )  # fmt: skip
    await installation.publish(disconnect("evt_1", ALICE))
    await installation.settled("dead", 1)
    (letter,) = await installation.ask("dlq", "list")
    await installation.ask(
        "dlq", "discard", letter["delivery_id"], "--yes", "--because", f"{ALICE} ({GOOGLE_ID})"
    )
    key = (await installation.ask("keys", "create", "--platform", "plat_boardy"))["key"]
    await installation.link(ALICE, "plat_boardy", linked_at="2025-11-22T00:00:00Z")
    for token in ("try-1", ALICE, GOOGLE_ID):
        asked = (("X-API-Key", key), ("Idempotency-Key", token))
        await api.ask("DELETE", f"/v1/calendars/{ALICE}", *asked)


async def test_no_byte_of_the_database_names_who_was_forgotten(
    managed: Installation, database_files: DatabaseFiles
) -> None:
    """Though platforms echo, one answers late, letters are dead, and others' events go on."""
    async with (
        Receiver(echo(200)) as luma,
        Receiver(echo(500)) as cal,
        Receiver(echo(200, delay=1.0)) as boardy,
    ):
        for name, receiver in {"luma": luma, "cal": cal, "boardy": boardy}.items():
            await managed.register(f"plat_{name}", receiver)
        async with (
            managed.worker() as worker,
            ApiProcess(managed.settings, managed.folder) as api,
            traffic(managed),
        ):
            await past(managed, api, worker)
            heard = len(boardy.requests)
            await managed.publish(
                disconnect("evt_2", ALICE, disconnected_at=EXAMPLE_AT, platform_ids=["plat_boardy"])
            )
            await boardy.received(heard + 1)
            forgotten = await managed.fanout(*FORGET, "-o", "json")
            assert forgotten.json()["events"] >= 2
            assert "alice" not in forgotten.stderr.lower()
            stored = await database_files.read()
            assert found_in(stored, ALICE, GOOGLE_ID) == []
            await luma.received(len(luma.requests) + 3)
            assert worker.running
            assert found_in(await database_files.read(), ALICE, GOOGLE_ID) == []
            assert "alice" not in worker.stderr.lower()
            async with asyncio.timeout(30):  # a letter that the sweeper looks at is not counted
                while (await managed.fanout("deliveries", "balance")).exit_code:
                    pass
        again = await managed.fanout(*FORGET, "-o", "json")
    assert set(again.json().values()) == {0}
    assert (await managed.ask("deliveries", "balance"))["difference"] == 0


async def test_old_clear_answers_are_sealed_by_workers_and_read_meanwhile(
    managed: Installation, database_files: DatabaseFiles
) -> None:
    """A worker seals what an earlier version left, and the commands show the same words."""
    async with Receiver(echo(200)) as luma:
        await managed.register("plat_luma", luma)
        await managed.link(ALICE, "plat_luma")
        async with managed.worker():
            await managed.publish(disconnect("evt_1", ALICE))
            (delivery,) = await managed.settled("delivered", 1)
        name = delivery["delivery_id"]
        shown = await managed.ask("deliveries", "show", name)
        assert ALICE in shown["timeline"][0]["answer"]
        await in_clear(managed, shown["timeline"][0]["answer"])
        assert await managed.ask("deliveries", "show", name) == shown
        async with managed.worker() as worker:
            while await plaintext_answers(managed):
                assert worker.running
        assert await managed.ask("deliveries", "show", name) == shown
    await managed.ask(*FORGET)
    assert found_in(await database_files.read(), ALICE, GOOGLE_ID) == []
    assert (await managed.ask("deliveries", "show", name))["timeline"][0]["answer"] == ""
