"""Answers that are given again: found by keyed hashes, also those that an old version wrote."""

import asyncio
import hashlib
from typing import Any

import pytest
from sqlalchemy import insert, select
from tests.harness.store.examples import link
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.http_api.credentials import CredentialBook
from disconnect_fanout.adapters.store.http_api.ended_connections import SqlConnections
from disconnect_fanout.adapters.store.http_api.remembered_answer import RememberedAnswers
from disconnect_fanout.adapters.store.privacy.forgetting import Forgetting
from disconnect_fanout.adapters.store.schema.api_tables import answers
from disconnect_fanout.domain.credential import Calendar, Credential
from disconnect_fanout.domain.instant import span_ms
from disconnect_fanout.flow.disconnection import Ended, Memo, NotConnected, Reused

ALICE, BOB = "alice@example.com", "bob@example.com"
TOKENS = ("try-1", ALICE, "105942374304")  # some callers take what they have at hand


def memo(token: str = TOKENS[0], email: str = ALICE) -> Memo:
    """What a platform asks, known again by a bare digest, as the API makes it."""
    asked = f"DELETE\0/v1/calendars/{email}\0"
    return Memo("key_1", token, sha256(asked))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def api(world: SqlWorld) -> SqlConnections:
    return SqlConnections(world.database, world.seals)


async def rows(world: SqlWorld) -> list[Any]:
    async with world.database.read() as connection:
        return list(await connection.execute(select(answers)))


async def as_an_old_version(world: SqlWorld, known: Memo) -> None:
    """Remember as a version before this one did that a connection ended."""
    row = {
        "caller": known.caller, "token": sha256(known.token), "request": known.request,
        "sealed": world.seals.seal(b"true"), "created_at": world.database.now_ms,
    }  # fmt: skip
    async with world.database.record() as connection:
        await connection.execute(insert(answers).values(row))


@pytest.mark.parametrize("token", TOKENS)
async def test_nothing_is_hashed_without_a_key(sql_world: SqlWorld, token: str) -> None:
    """Neither the request, which names the user, nor the caller's token, which may."""
    await sql_world.add_links(link(ALICE, "luma"))
    asked = memo(token)
    assert await api(sql_world).end_user(ALICE, "luma", asked) == Ended()
    assert await api(sql_world).end_user(ALICE, "luma", asked) == Ended()
    shown = repr(await rows(sql_world))
    for bare in (asked.request, sha256(token), sha256(ALICE), token):
        assert bare not in shown
    assert await api(sql_world).end_user(BOB, "luma", memo(token, BOB)) == Reused()


@pytest.mark.parametrize("token", TOKENS)
async def test_what_an_old_version_answered_is_answered_again(
    sql_world: SqlWorld, token: str
) -> None:
    """Before its digests are hashed with the key, while that is done, and afterwards; not twice."""
    await as_an_old_version(sql_world, memo(token))
    await sql_world.add_links(link(ALICE, "luma"))

    async def again() -> None:
        assert await api(sql_world).end_user(ALICE, "luma", memo(token)) == Ended()
        assert await api(sql_world).end_user(BOB, "luma", memo(token, BOB)) == Reused()

    await again()
    job = RememberedAnswers(sql_world.open(), sql_world.seals)
    await asyncio.gather(job.do_some(), *(again() for _ in range(10)))
    await again()
    assert await job.do_some() == 0
    (row,) = await rows(sql_world)
    assert {len(row.token), len(row.request)} == {32}
    assert memo(token).request not in repr(row)
    assert len(await api_links(sql_world)) == 1, "her link since then was not ended"


async def api_links(world: SqlWorld) -> list[object]:
    found = await Forgetting(world.database, world.seals, ALICE).found()
    return [None] * found.links


async def test_many_old_ones_are_hashed_in_batches(sql_world: SqlWorld) -> None:
    """And an answer of both versions at once is no failure: that of the keyed row stays."""
    for number in range(600):
        await as_an_old_version(sql_world, memo(f"try-{number}"))
    await api(sql_world).end_user(ALICE, "luma", memo("new"))
    await as_an_old_version(sql_world, memo("new"))
    job = RememberedAnswers(sql_world.database, sql_world.seals)
    assert [await job.do_some() for _ in range(3)] == [500, 101, 0]
    assert len(await rows(sql_world)) == 601
    assert await api(sql_world).end_user(ALICE, "luma", memo("new")) == NotConnected()


@pytest.mark.parametrize("old", [False, True], ids=["new", "old version's"])
async def test_forgetting_leaves_the_answer_and_not_whose_it_is(
    sql_world: SqlWorld, *, old: bool
) -> None:
    """The same request again is not done twice; a neighbour's is as it was."""
    await sql_world.add_links(link(ALICE, "luma"), link(BOB, "luma"))
    await api(sql_world).end_user(BOB, "luma", memo("try-2", BOB))
    if old:
        await as_an_old_version(sql_world, memo())
    else:
        await api(sql_world).end_user(ALICE, "luma", memo())
    await Forgetting(sql_world.database, sql_world.seals, ALICE).remove()
    shown = repr(await rows(sql_world))
    assert memo().request not in shown
    assert sql_world.seals.text_hash(ALICE) not in shown
    if not old:  # of a bare digest nobody can tell whose it was
        assert sql_world.seals.text_hash(memo().request) not in shown
    assert sql_world.seals.text_hash(BOB) in shown
    await sql_world.add_links(link(ALICE, "luma"))
    assert await api(sql_world).end_user(ALICE, "luma", memo()) == Ended()
    assert len(await api_links(sql_world)) == 1
    assert await api(sql_world).end_user(ALICE, "luma", memo("try-2")) == Reused()


async def test_a_credentials_answer_is_forgotten_with_its_user(sql_world: SqlWorld) -> None:
    """Its request names only a number; whose it was is known by what was deleted."""
    one = Credential(1, "google_calendar", 7, ALICE, "105942374304", None, None, invalid=False)
    await CredentialBook(sql_world.database, sql_world.seals).write([one])
    asked = Memo("key_2", "try-1", sha256("POST\0/v2/calendars/google/disconnect\0{1}"))
    for _ in range(2):
        ended = await api(sql_world).end_credential(1, Calendar.GOOGLE, 7, asked)
        assert isinstance(ended, Credential)
    person = Forgetting(sql_world.database, sql_world.seals, ALICE)
    assert (await person.found()).remembered == 1
    await person.remove()
    assert (await person.found()).remembered == 0
    assert sql_world.seals.text_hash(ALICE) not in repr(await rows(sql_world))


async def test_a_day_ends_them(sql_world: SqlWorld) -> None:
    """Emptied ones too."""
    await api(sql_world).end_user(ALICE, "luma", memo())
    await Forgetting(sql_world.database, sql_world.seals, ALICE).remove()
    async with sql_world.database.record() as connection:
        older = answers.c.created_at - span_ms(86_401)
        await connection.execute(answers.update().values(created_at=older))
    job = RememberedAnswers(sql_world.database, sql_world.seals)
    assert [await job.do_some() for _ in range(2)] == [1, 0]
    assert await rows(sql_world) == []
