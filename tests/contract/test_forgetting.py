"""Forgetting a person: nothing names them any more, and everything is still counted."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text, update
from tests.harness.store.examples import (
    DISCONNECTED_AT,
    EXHAUSTED,
    RETRY,
    attempted,
    due,
    event,
    intent,
    link,
    planned,
    registered,
)
from tests.harness.store.examples import dead as dead_letter
from tests.harness.store.sql_world import SqlWorld
from tests.harness.store.world import Ports

from disconnect_fanout.adapters.store.dead_letters.discards import Discards
from disconnect_fanout.adapters.store.deliveries.balance import BalanceSheet
from disconnect_fanout.adapters.store.events.history import EventHistory
from disconnect_fanout.adapters.store.events.late_recipients import LateRecipients
from disconnect_fanout.adapters.store.platforms.source import SqlPlatformSource
from disconnect_fanout.adapters.store.privacy.amounts import PersonalData
from disconnect_fanout.adapters.store.privacy.forgetting import Forgetting
from disconnect_fanout.adapters.store.schema import tables
from disconnect_fanout.adapters.store.schema.connect_table import connects
from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import DisconnectEvent, Provider, Reason, User
from disconnect_fanout.domain.identity import connect_hash, content_hash
from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.flow.intent import Intent, Registration
from disconnect_fanout.flow.links.store import Opening
from disconnect_fanout.policy.change import LetterConfirmed
from disconnect_fanout.policy.decide import Delivered, Verdict
from disconnect_fanout.policy.link_lifetime import opened
from disconnect_fanout.policy.replay_item import ItemState

ALICE, BOB = "alice@example.com", "bob@example.com"
NOTHING = PersonalData(links=0, events=0, deliveries=0, attempts=0, untold=0, dead=0)


def alices(world: SqlWorld) -> Forgetting:
    return Forgetting(world.database, world.seals, ALICE)


async def told(world: SqlWorld, email: str) -> DisconnectEvent:
    """One event of a user, delivered to a platform that repeats whom it was told about."""
    one = event(email=email.title(), google_id="105942374304")
    delivery = planned(one, "luma", lease="mine")
    await world.worker.events.register([intent(one, delivery)])
    answer = attempted(delivery.id, "mine", Delivered(), answer=f"thanks, I will tell {email}")
    await world.worker.ledger.commit([answer])
    return one


async def dump(world: SqlWorld) -> str:
    """Return everything that is stored, sealed values opened."""
    found: list[Any] = []
    async with world.database.read() as connection:
        for table in tables.metadata.sorted_tables:
            rows = (await connection.execute(select(table))).all()
            found += [tuple(row) for row in rows]
            if "sealed" in table.c:
                found += [world.vault.open(row.sealed) for row in rows if row.sealed]
    return repr(found)


async def test_nothing_names_them_any_more(sql_world: SqlWorld) -> None:
    """Not in links, events or attempts, sealed values included; a neighbour is untouched."""
    await told(sql_world, ALICE)
    bobs = await told(sql_world, BOB)
    await sql_world.add_links(link(ALICE, "luma", "1"), link(BOB, "luma", "2"))
    await sql_world.insert_clear_links(link(ALICE, "cal"))
    person = alices(sql_world)
    assert await person.found() == PersonalData(
        links=3 - 1, events=1, deliveries=1, attempts=1, untold=0, dead=0
    )
    await person.remove()
    left = await dump(sql_world)
    assert "alice" not in left.lower()
    assert sql_world.seals.text_hash(ALICE) not in left
    assert repr(sql_world.seals.user_hash(ALICE)) not in left
    assert "thanks, I will tell bob" in left
    shown = await EventHistory(sql_world.database).one(bobs.id, sql_world.seals)
    assert shown.user_email == BOB.title()
    assert await person.found() == NOTHING


async def test_the_counts_stay_true(sql_world: SqlWorld) -> None:
    """That a platform was told, when and in how many attempts, is no secret; the balance closes."""
    one = await told(sql_world, ALICE)
    sheet = BalanceSheet(sql_world.database)
    before = await sheet.overall()
    await alices(sql_world).remove()
    assert await sheet.overall() == before
    assert list(await sheet.open_events(10)) == []
    (attempt,) = await sql_world.timeline(planned(one, "luma").id)
    assert (attempt.status, attempt.answer) == (200, "")
    shown = await EventHistory(sql_world.database).one(one.id, sql_world.seals)
    assert (shown.user_email, shown.google_id, shown.delivered) == (None, None, 1)
    assert shown.disconnected_at == one.disconnected_at


async def test_a_forgotten_event_is_still_told_once(sql_world: SqlWorld) -> None:
    """The same id is known, whoever it is about; with other content it is a conflict as before."""
    one = await told(sql_world, ALICE)
    await alices(sql_world).remove()
    other = replace(one, reason=Reason.REVOKED)
    answers = await sql_world.worker.events.register([intent(one), intent(other)])
    assert list(answers) == [Registration.KNOWN, Registration.CONFLICT]
    assert await due(sql_world.worker) == []


async def test_no_hash_is_left_that_could_confirm_a_guess(sql_world: SqlWorld) -> None:
    """The stored hash is keyed from the start, and without the user once they are forgotten."""
    one = await told(sql_world, ALICE)
    stored = select(tables.events.c.content_hash)

    async def read() -> str:
        async with sql_world.database.read() as connection:
            return str((await connection.execute(stored)).scalar_one())

    before = await read()
    assert before != content_hash(one)
    await alices(sql_world).remove()
    guesses = [content_hash(one), sql_world.seals.text_hash(content_hash(one)), before]
    assert await read() not in guesses


async def test_a_forgotten_connect_comes_back_without_its_user(sql_world: SqlWorld) -> None:
    """Its id is known, so a copy links nobody; neither its hashes nor the event's are left."""
    user = User(ALICE, "105942374304")
    at = DISCONNECTED_AT
    connect = ConnectEvent("evt_c", at, user, Provider.GOOGLE, at, "luma")
    opening = Opening(connect, opened(connect), connect_hash(connect))
    await told(sql_world, ALICE)
    await sql_world.worker.links.open([opening])
    await alices(sql_world).remove()
    assert await sql_world.worker.links.open([opening]) == [Registration.KNOWN]
    assert await sql_world.worker.links.of_users([user]) == [{}]
    async with sql_world.database.read() as connection:
        known = (await connection.execute(select(connects))).one()
        event_row = (await connection.execute(select(tables.events))).one()
    assert (known.user_hash, known.content_hash) == (None, None)
    assert (event_row.user_hash, event_row.google_hash) == (None, None)


async def test_what_is_untold_is_counted_and_discarded_when_asked(sql_world: SqlWorld) -> None:
    """Waiting, decided and dead become discarded; the letters are nobody's any more."""
    worker = sql_world.worker
    waiting = await registered(worker, "cal")
    dead = await dead_letter(worker)
    one = event()
    decided = planned(one, "boardy", lease="mine")
    await worker.events.register([intent(one, decided)])
    await worker.ledger.commit([attempted(decided.id, "mine", EXHAUSTED, platform_id="boardy")])
    person = alices(sql_world)
    found = await person.found()
    assert (found.untold, found.dead) == (2, 1)
    assert await person.discard() == 3
    assert (await person.found()).untold == (await person.found()).dead == 0
    assert await worker.letters.standing([waiting, dead, decided.id]) == {}
    await worker.ledger.commit([LetterConfirmed(decided.id, replays=0)])
    balance = await BalanceSheet(sql_world.database).overall()
    assert (balance.discarded, balance.difference) == (3, 0)


async def test_an_operators_words_go_too(sql_world: SqlWorld) -> None:
    """Why something was discarded may name the person."""
    letter = await dead_letter(sql_world.worker)
    await Discards(sql_world.database).discard([letter], f"{ALICE} asked us to")
    await alices(sql_world).remove()
    assert "alice" not in await dump(sql_world)


async def test_a_request_that_is_under_way_is_not_cut_off(sql_world: SqlWorld) -> None:
    """It is waited for: until its outcome is recorded, or its worker is known to be gone."""
    worker = sql_world.worker
    sending, lost = await registered(worker, lease="mine"), await registered(worker, lease="dead")
    person = alices(sql_world)
    assert (await person.discard(), await person.under_way()) == (0, 2)
    await worker.ledger.commit([attempted(sending, "mine", RETRY)])
    assert (await person.discard(), await person.under_way()) == (1, 1)
    await sql_world.pass_time(60)
    assert (await person.discard(), await person.under_way()) == (1, 0)
    assert (await sql_world.row(lost)).last_result == "interrupted"
    assert [one.result for one in await sql_world.timeline(lost)] == ["interrupted"]


async def test_a_replay_that_waits_for_them_ends(sql_world: SqlWorld) -> None:
    """What it has released and is discarded is a failure of the job, not a wait for ever."""
    letter = await dead_letter(sql_world.worker)
    job = await sql_world.worker.jobs.create([letter])
    await sql_world.worker.replays.advance(2.0)
    assert await alices(sql_world).discard() == 1
    progress = await sql_world.worker.jobs.progress(job)
    assert progress is not None
    assert (progress.failed, progress.pending) == (1, 0)


async def test_a_replay_of_what_they_were_told_about_tells_nobody(sql_world: SqlWorld) -> None:
    """Selected before they were forgotten, due afterwards: called off, and still delivered."""
    name = planned(await told(sql_world, ALICE), "luma").id
    job = await sql_world.worker.jobs.create([name])
    await alices(sql_world).remove()
    async with sql_world.database.record() as connection:
        again = update(tables.replay_items).where(tables.replay_items.c.job == job)
        await connection.execute(again.values(state=ItemState.AGAIN))
    await sql_world.worker.replays.advance(2.0)
    assert (await sql_world.row(name)).next_at is not None
    assert await due(sql_world.worker) == []
    row = await sql_world.row(name)
    assert (row.state, row.next_at) == ("delivered", None)
    progress = await sql_world.worker.jobs.progress(job)
    assert progress is not None
    assert (progress.failed, progress.pending) == (1, 0)


async def test_a_forgotten_event_resolves_nobody(sql_world: SqlWorld) -> None:
    """Its user matches no link, and even an explicit recipient would be told about nobody."""
    one = await told(sql_world, ALICE)
    await alices(sql_world).remove()
    source = SqlPlatformSource(sql_world.database, sql_world.vault, 30)
    late = LateRecipients(sql_world.database, sql_world.seals, source, grace=timedelta(0))
    with pytest.raises(NotFound):
        await late.resolve(one.id)


async def test_hundreds_of_events_of_one_person_are_forgotten(sql_world: SqlWorld) -> None:
    """In short transactions, and a second time there is nothing."""
    events = [event() for _ in range(600)]
    nobody = [Intent(one, content_hash(one), ()) for one in events]
    await sql_world.worker.events.register(nobody)
    await sql_world.add_links(*(link(ALICE, f"p{n}") for n in range(1100)))
    person = alices(sql_world)
    await person.remove()
    assert await person.found() == NOTHING
    assert await person.discard() == 0
    async with sql_world.database.read() as connection:
        left = select(func.count()).select_from(tables.events).where(text("user_hash IS NULL"))
        assert (await connection.execute(left)).scalar_one() == 600


async def test_an_answer_that_comes_after_is_not_kept(sql_world: SqlWorld) -> None:
    """A worker that had the event in its hands records that it was told, and no word of it."""
    worker = sql_world.worker
    one = event(email=ALICE, google_id="105942374304")
    ends: dict[str, Verdict] = {"luma": Delivered(), "cal": RETRY, "boardy": EXHAUSTED}
    under_way = [planned(one, name, lease="mine") for name in ends]
    await worker.events.register([intent(one, *under_way)])
    await alices(sql_world).remove()
    await worker.ledger.commit(
        [
            attempted(delivery.id, "mine", verdict, answer=f"I told {ALICE}", platform_id=name)
            for delivery, (name, verdict) in zip(under_way, ends.items(), strict=True)
        ]
    )
    assert [
        [attempt.answer for attempt in await sql_world.timeline(delivery.id)]
        for delivery in under_way
    ] == [[""], [""], [""]]
    assert "alice" not in (await dump(sql_world)).lower()
    assert (await alices(sql_world).found()) == NOTHING
    await sql_world.pass_time(3600)
    assert await due(worker) == []


async def test_forgetting_while_workers_deliver_leaves_no_answer(sql_world: SqlWorld) -> None:
    """Whichever comes first at each delivery, a commit or its emptying."""
    names = []
    for _ in range(120):
        one = event(email=ALICE)
        delivery = planned(one, "luma", lease="mine")
        await sql_world.worker.events.register([intent(one, delivery)])
        names.append(delivery.id)
    other = await sql_world.another_worker()

    async def deliver(worker: Ports, mine: list[str]) -> None:
        for name in mine:
            change = attempted(name, "mine", Delivered(), answer=f"I told {ALICE}")
            await worker.ledger.commit([change])

    await asyncio.gather(
        deliver(sql_world.worker, names[::2]),
        deliver(other, names[1::2]),
        Forgetting(sql_world.open(), sql_world.seals, ALICE).remove(),
    )
    assert {(await sql_world.row(name)).state for name in names} == {"delivered"}
    assert "told" not in await dump(sql_world)
    assert {one.answer for name in names for one in await sql_world.timeline(name)} == {""}


async def test_only_what_is_remembered_is_enough_to_be_known(sql_world: SqlWorld) -> None:
    """A connect whose link and events are gone still says who it was about, until it is emptied."""
    user = User(ALICE, "105942374304")
    at = DISCONNECTED_AT
    connect = ConnectEvent("evt_c", at, user, Provider.GOOGLE, at, "luma")
    await sql_world.worker.links.open([Opening(connect, opened(connect), connect_hash(connect))])
    async with sql_world.database.record() as connection:
        await connection.execute(delete(tables.links))
    person = alices(sql_world)
    assert (await person.found()).any
    await person.remove()
    assert not (await person.found()).any
