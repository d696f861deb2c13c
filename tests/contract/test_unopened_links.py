"""Rows that nobody can open, beside mailboxes and replays: judged, and never in the way."""

from datetime import timedelta
from typing import Any

from sqlalchemy import insert, update
from tests.contract.test_secret_keys import ALICE, DAMAGED, damage
from tests.harness.store.examples import dead, due, event, intent, link
from tests.harness.store.older_version import OlderVersion
from tests.harness.store.replay_examples import HORIZON_S
from tests.harness.store.sql_world import SqlWorld

from disconnect_fanout.adapters.store.links.candidates import find_links
from disconnect_fanout.adapters.store.links.plaintext import PlaintextLinks
from disconnect_fanout.adapters.store.privacy.forgetting import Forgetting
from disconnect_fanout.adapters.store.schema.tables import links
from disconnect_fanout.policy.plan import counts


async def test_a_damaged_link_tells_its_user_and_no_stranger(sql_world: SqlWorld) -> None:
    """By its hashes it counts for its address and its account, not for another's account."""
    await sql_world.add_links(link(ALICE, "luma", "42"))
    async with sql_world.database.record() as connection:
        await connection.execute(update(links).values(sealed=DAMAGED))
    asked = [
        event(email=ALICE, google_id=None),
        event(email=ALICE, google_id="42"),
        event(email="new@example.com", google_id="42"),
        event(email=ALICE, google_id="7"),
    ]
    found = await find_links(sql_world.database, sql_world.seals, [one.user for one in asked])
    told = [
        any(counts(each, one, timedelta(0)) for each in theirs.values())
        for one, theirs in zip(asked, found, strict=True)
    ]
    assert told == [True, True, True, False]


async def test_two_damaged_links_are_not_taken_for_one(sql_world: SqlWorld) -> None:
    """Nor for anybody's who asks with an id of nothing but zeros.

    Fails before: one id stood in for all accounts, and was found by whoever published it.
    """
    await sql_world.add_links(link(ALICE, "luma", "42"), link(ALICE, "luma", "43"))
    await sql_world.add_links(link(ALICE, "luma", "42"))
    async with sql_world.database.record() as connection:
        await connection.execute(update(links).values(sealed=DAMAGED))
    asked = [event(email=ALICE, google_id=None)]
    zeros = [event(email="bob@example.com", google_id="0" * many) for many in (24, 128)]
    zeros += [event(email=ALICE, google_id="0" * 24)]
    users = [one.user for one in (*asked, *zeros)]
    mine, *theirs = await find_links(sql_world.database, sql_world.seals, users)
    first, second, third = (one for _, one in sorted(mine.items()))
    assert (first == second, first == third) == (False, True)
    for one, found in zip(zeros, theirs, strict=True):
        assert not any(counts(each, one, timedelta(0)) for each in found.values())


async def test_odd_links_that_nobody_can_open_do_not_starve_those_behind(
    sql_world: SqlWorld,
) -> None:
    """Odd ones are sealed first, and a thousand damaged ones among them hold up no other."""
    bad: dict[str, Any] = {
        "user_hash": "a" * 32, "google_hash": "b" * 32, "sealed": DAMAGED,
        "email": "stra\u00dfe@d.example", "platform_id": "luma", "linked_at": 0,
    }  # fmt: skip
    async with sql_world.database.record() as connection:
        await connection.execute(insert(links), [bad] * 1001)
    chore = PlaintextLinks(sql_world.database, sql_world.seals)
    for written in ("wei\u00df@example.com", "plain@example.com"):
        await sql_world.insert_clear_links(link(written, "luma"))
        assert await chore.do_some() == 1
        assert await chore.do_some() == 0


async def test_a_replay_sends_what_opens_beside_what_does_not(sql_world: SqlWorld) -> None:
    """The job's turn comes for both, and the damaged one is set aside at its claim."""
    bad, good = await dead(sql_world.worker), await dead(sql_world.worker)
    await damage(sql_world, (await sql_world.row(bad)).event_id)
    await sql_world.worker.jobs.create([bad, good])
    await sql_world.worker.replays.advance(HORIZON_S)
    await sql_world.pass_time(HORIZON_S)
    assert await due(sql_world.worker) == [good]


async def test_forgetting_reaches_a_damaged_event_of_an_older_version(sql_world: SqlWorld) -> None:
    """Nobody can look into it, so it is whose hash it has."""
    one = event(email=ALICE)
    await OlderVersion(sql_world).event(intent(one))
    await damage(sql_world, one.id)
    forgetting = Forgetting(sql_world.database, sql_world.seals, ALICE)
    assert (await forgetting.found()).events == 1
    await forgetting.remove()
    assert (await forgetting.found()).events == 0
