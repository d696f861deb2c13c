"""Erasing: after a person is forgotten the database's files hold no byte that names them."""

import asyncio
import base64
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.engine import make_url
from tests.harness.store.database_files import DatabaseFiles, found_in
from tests.harness.store.examples import attempted, event, intent, link, planned
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.deliveries.plaintext_answers import PlaintextAnswers
from disconnect_fanout.adapters.store.links.plaintext import PlaintextLinks
from disconnect_fanout.adapters.store.privacy import postgres_erasure, sqlite_erasure
from disconnect_fanout.adapters.store.privacy.erasure import Erased, erase
from disconnect_fanout.adapters.store.privacy.forgetting import Forgetting
from disconnect_fanout.adapters.store.schema.api_tables import answers
from disconnect_fanout.adapters.store.schema.tables import attempts
from disconnect_fanout.policy.decide import Delivered

ALICE, GOOGLE_ID = "alice.canary@example.com", "105942374304"
MANY = 400


async def clear_past(world: SqlWorld) -> None:
    """All that an earlier version, the owner and a platform left of Alice in clear, among others.

    In such numbers, and in such an order, that rows move from page to page.
    """
    one = event(email=ALICE, google_id=GOOGLE_ID)
    delivery = planned(one, "luma", lease="mine")
    await world.worker.events.register([intent(one, delivery)])
    await world.worker.ledger.commit([attempted(delivery.id, "mine", Delivered(), answer="ok")])
    for part in range(4):
        others = [link(f"u{part}.{n}@example.com", "luma", f"7{n:011}") for n in range(MANY)]
        hers = [link(ALICE, f"p{part}.{n}", GOOGLE_ID) for n in range(20)]
        await world.insert_clear_links(*others[::2], *hers, *others[1::2])
    echo = f'{{"user_email":"{ALICE}","google_id":"{GOOGLE_ID}"}}' * 5
    old = {"at": 0, "result": "refused", "status": 500, "duration_ms": 1, "replay": False}
    mine = [{**old, "delivery_id": delivery.id, "number": n, "answer": echo} for n in range(2, 99)]
    bare = {"caller": "key", "token": "a" * 64, "request": "b" * 64, "sealed": b"", "created_at": 0}
    async with world.database.record() as connection:
        await connection.execute(insert(attempts), mine)
        await connection.execute(insert(answers).values(bare))
    if not world.database.sqlite:
        async with world.database.record() as connection:
            await connection.execute(text("ANALYZE"))


async def sealed(world: SqlWorld) -> None:
    """What the workers do within seconds."""
    for job in (
        PlaintextLinks(world.database, world.seals), PlaintextAnswers(world.database, world.vault)
    ):  # fmt: skip
        while await job.do_some():
            pass


@pytest.mark.parametrize("seal_first", [False, True], ids=["still clear", "sealed since"])
async def test_no_byte_names_them(
    sql_world: SqlWorld, database_files: DatabaseFiles, *, seal_first: bool
) -> None:
    """In clear, encoded, or hashed without a key; whether workers had sealed the rows or not."""
    await clear_past(sql_world)
    assert found_in(await database_files.read(), ALICE, GOOGLE_ID), "a fair test"
    if seal_first:
        await sealed(sql_world)
    await Forgetting(sql_world.database, sql_world.seals, ALICE).remove()
    assert await erase(sql_world.database, rewrite=False) is Erased.COMPLETE
    assert found_in(await database_files.read(), ALICE, GOOGLE_ID) == []


async def test_what_is_sealed_names_nobody_without_erasing(
    sql_world: SqlWorld, database_files: DatabaseFiles
) -> None:
    """The bytes of removed rows are ciphertext and keyed hashes, wherever they are left."""
    one = event(email=ALICE, google_id=GOOGLE_ID)
    delivery = planned(one, "luma", lease="mine")
    await sql_world.worker.events.register([intent(one, delivery)])
    echo = f'{{"user_email":"{ALICE}","google_id":"{GOOGLE_ID}"}}'
    await sql_world.worker.ledger.commit([attempted(delivery.id, "mine", Delivered(), answer=echo)])
    await sql_world.add_links(link(ALICE, "luma", GOOGLE_ID))
    assert found_in(await database_files.read(), ALICE, GOOGLE_ID) == []
    await Forgetting(sql_world.database, sql_world.seals, ALICE).remove()
    assert found_in(await database_files.read(), ALICE, GOOGLE_ID) == []


async def test_a_large_database_is_rewritten_when_asked(
    sql_world: SqlWorld, database_files: DatabaseFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unasked it is not, and says so; the write-ahead log is emptied all the same."""
    monkeypatch.setattr("disconnect_fanout.adapters.store.privacy.erasure.SMALL_BYTES", 1)
    await clear_past(sql_world)
    await Forgetting(sql_world.database, sql_world.seals, ALICE).remove()
    assert await erase(sql_world.database, rewrite=False) is Erased.LARGE
    if sql_world.database.file is not None:
        log = sql_world.database.file.with_name(f"{sql_world.database.file.name}-wal")
        assert log.stat().st_size == 0
    assert await erase(sql_world.database, rewrite=True) is Erased.COMPLETE
    assert found_in(await database_files.read(), ALICE, GOOGLE_ID) == []


async def test_who_is_in_the_way_is_waited_for_and_then_told(
    sql_world: SqlWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader in an old snapshot blocks it; work goes on meanwhile, and afterwards it succeeds."""
    kind = sqlite_erasure if sql_world.database.sqlite else postgres_erasure
    await clear_past(sql_world)
    async with sql_world.open().read() as reader:
        await reader.execute(text("SELECT count(*) FROM links"))
        monkeypatch.setattr(kind, "WITHIN_S", 0.5)
        trying = asyncio.create_task(erase(sql_world.database, rewrite=False))
        await sql_world.add_links(link("bob@example.com", "luma"))
        assert await trying is Erased.BLOCKED
        monkeypatch.setattr(kind, "WITHIN_S", 60)
        waiting = asyncio.create_task(erase(sql_world.database, rewrite=False))
        await asyncio.sleep(0)
    assert await waiting is Erased.COMPLETE


async def test_another_than_the_owner_is_told_so(postgres_url: str) -> None:
    """PostgreSQL would pass over a table that is not ours, and call it done."""
    world = await SqlWorld.on(postgres_url)
    url = make_url(postgres_url)
    role = f"worker_of_{url.database}"
    async with world.database.record() as connection:
        await connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD '{url.password}'"))
        await connection.execute(text(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"))
    await world.close()
    theirs = Database(url.set(username=role).render_as_string(hide_password=False))
    try:
        assert await erase(theirs, rewrite=True) is Erased.NOT_OWNER
    finally:
        await theirs.close()


def test_the_search_finds_what_it_looks_for() -> None:
    """Each form, wherever it stands."""

    def forms(stored: bytes) -> Any:
        return found_in(b"..." + stored + b"...", ALICE)

    assert forms(ALICE.upper().encode())
    assert forms(ALICE.encode().hex().upper().encode())
    for before in (b"", b"x", b"xy"):
        assert forms(base64.b64encode(before + ALICE.encode() + b"tail"))
    assert not forms(b"bob@example.com")
