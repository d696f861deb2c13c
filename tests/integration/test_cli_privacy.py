"""``fanout privacy forget``: refused while somebody is untold, said in counts, done once."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from tests.harness.store.examples import attempted, event, intent, link, planned
from tests.harness.store.examples import dead as dead_letter
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.operator import Operator

from disconnect_fanout.adapters.store.privacy import erasure, postgres_erasure, sqlite_erasure
from disconnect_fanout.policy.decide import Delivered

ALICE = ("--email", "ALICE@example.com")
FORGET = ("privacy", "forget", *ALICE)


async def told(world: SqlWorld) -> None:
    """Alice was linked to luma, and luma was told."""
    await world.add_platform("luma")
    await world.add_links(link("alice@example.com", "luma"), link("bob@example.com", "luma"))
    one = event("evt_alice", "Alice@example.com")
    delivery = planned(one, "luma", lease="mine")
    await world.worker.events.register([intent(one, delivery)])
    answer = attempted(delivery.id, "mine", Delivered(), answer="bye alice")
    await world.worker.ledger.commit([answer])


async def dead(world: SqlWorld) -> None:
    """One more event of Alice's, which luma refused to the end."""
    await dead_letter(world.worker)


@pytest.fixture
def keeper(any_operator: Operator) -> Operator:
    """An operator who knows Alice."""
    any_operator.arrange(told)
    return any_operator


def counts(report: Any) -> tuple[int, ...]:
    fields = ("links", "credentials", "events", "deliveries", "attempts", "discarded")
    assert list(report) == list(fields)
    return tuple(report[one] for one in fields)


def test_a_person_is_forgotten_and_the_counts_say_what_was_removed(keeper: Operator) -> None:
    """In any case of letters; afterwards nobody finds them, and the history stands."""
    assert counts(keeper.ask(*FORGET, "--yes")) == (1, 0, 1, 1, 1, 0)
    assert keeper.ask("links", "list", *ALICE) == []
    assert keeper.ask("deliveries", "list", "--user", "alice@example.com") == []
    (delivery,) = keeper.ask("deliveries", "list", "--event", "evt_alice")
    assert delivery["state"] == "delivered"
    shown = keeper.ask("events", "show", "evt_alice")
    assert (shown["user_email"], shown["google_id"]) == (None, None)
    (attempt,) = keeper.ask("deliveries", "show", delivery["delivery_id"])["timeline"]
    assert (attempt["status"], attempt["answer"]) == (200, "")
    assert len(keeper.ask("links", "list", "--email", "bob@example.com")) == 1


def test_a_second_time_there_is_nothing(keeper: Operator) -> None:
    """And that is no failure."""
    keeper.ask(*FORGET, "--yes")
    again = keeper.fanout(*FORGET, "--yes", "-o", "json")
    assert counts(again.json()) == (0, 0, 0, 0, 0, 0)
    assert "nothing is stored" in again.stderr


def test_while_somebody_is_untold_nothing_is_removed(keeper: Operator) -> None:
    """Exit 1 says how many, and both ways out; the address is not repeated."""
    keeper.arrange(dead)
    said = keeper.refused(*FORGET, "--yes", code=1)
    assert "0 deliveries wait, 1 are dead letters" in said
    assert "dlq replay" in said
    assert "--discard" in said
    assert "alice" not in said.lower()
    assert len(keeper.ask("links", "list", *ALICE)) == 1


def test_discard_gives_them_up_first(keeper: Operator) -> None:
    """What was untold is discarded, counted as such, and no dead letter any more."""
    keeper.arrange(dead)
    assert counts(keeper.ask(*FORGET, "--discard", "--yes")) == (1, 0, 2, 2, 1, 1)
    assert keeper.ask("dlq", "list") == []
    states = [one["state"] for one in keeper.ask("deliveries", "list")]
    assert sorted(states) == ["delivered", "discarded"]


def test_forgetting_is_audited_without_the_address(keeper: Operator) -> None:
    """Who did it, when, with which counts; not to whom."""
    keeper.ask(*FORGET, "--yes")
    (entry,) = keeper.ask("audit", "list")
    assert entry["command"] == "privacy forget"
    assert entry["counts"] == {
        "links": 1, "credentials": 0, "events": 1, "deliveries": 1, "attempts": 1, "discarded": 0,
    }  # fmt: skip
    assert "alice" not in repr(entry).lower()


def test_a_person_without_an_event_has_links_at_least(keeper: Operator) -> None:
    """Who was linked and never disconnected is forgotten too."""
    assert counts(keeper.ask("privacy", "forget", "--email", "bob@example.com", "--yes")) == (
        1,
        0,
        0,
        0,
        0,
        0,
    )


def test_what_is_not_overwritten_is_said(keeper: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large database is rewritten only when asked to, for workers wait; all is removed anyway."""
    monkeypatch.setattr(erasure, "SMALL_BYTES", 1)
    done = keeper.fanout(*FORGET, "--yes", "-o", "json")
    assert counts(done.json()) == (1, 0, 1, 1, 1, 0)
    assert "--rewrite" in done.stderr
    assert "alice" not in done.stderr.lower()
    again = keeper.fanout(*FORGET, "--yes", "--rewrite", "-o", "json")
    assert counts(again.json()) == (0, 0, 0, 0, 0, 0)
    assert "--rewrite" not in again.stderr


def test_whoever_is_in_the_way_of_overwriting_makes_it_a_failure(
    keeper: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 1 says what to do; the same command again, without them, is done."""
    for kind in (sqlite_erasure, postgres_erasure):
        monkeypatch.setattr(kind, "WITHIN_S", 0.5)

    async def hindered(world: SqlWorld) -> None:
        async with world.database.read() as reader:
            await reader.execute(text("SELECT count(*) FROM links"))
            done = await asyncio.to_thread(keeper.fanout, *FORGET, "--yes", "-o", "json")
        assert done.exit_code == 1
        assert "run the same command again" in done.stderr
        assert '"links":' in done.stdout

    keeper.arrange(hindered)
    assert counts(keeper.ask(*FORGET, "--yes")) == (0, 0, 0, 0, 0, 0)


async def damaged(world: SqlWorld) -> None:
    """Somebody's SQL took the hash of every event, and what is sealed in one of them."""
    await dead(world)
    async with world.database.record() as connection:
        await connection.execute(text("UPDATE events SET user_hash = NULL"))
        lost = text("UPDATE events SET sealed = :nothing WHERE id <> 'evt_alice'")
        await connection.execute(lost, {"nothing": b"x"})


def test_what_can_t_be_attributed_is_said_with_what_to_do(keeper: Operator) -> None:
    """The rest is removed. Fails before: all were called removed, and none was."""
    keeper.arrange(damaged)
    result = keeper.fanout(*FORGET, "--yes", "-o", "json")
    assert (result.json()["events"], result.json()["links"]) == (1, 1)
    assert "1 of events can't be attributed to anybody" in result.stderr
    assert "Bring back the key or the rows" in result.stderr
    assert "alice" not in result.stderr.lower()
