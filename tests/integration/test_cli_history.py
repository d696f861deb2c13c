"""``events``, ``deliveries`` and ``dlq``: the shapes of CONTRACT section 6, and the filters."""

from typing import Any

import pytest
from sqlalchemy import update
from tests.harness.store.examples import EXHAUSTED, attempted, event, intent, planned
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.operator import Operator

from disconnect_fanout.adapters.store.schema.tables import events
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.policy.change import LetterConfirmed
from disconnect_fanout.policy.decide import DeadLettered, Delivered

DELIVERY = [
    "delivery_id", "event_id", "platform_id", "state", "attempts", "last_result", "last_status",
    "created_at", "next_at", "settled_at",
]  # fmt: skip
DEAD = [
    "delivery_id", "event_id", "platform_id", "reason", "attempts", "last_result", "last_status",
    "first_failed_at", "dead_at", "replays",
]  # fmt: skip
ATTEMPT = ["attempt", "at", "result", "status", "duration_ms", "answer"]


async def past(world: SqlWorld) -> None:
    """Alice: told by boardy, dead at luma, waiting at calcom. Bob: nobody. Carol: luma is gone."""
    worker = world.worker
    for one in ("boardy", "luma", "calcom"):
        await world.add_platform(one)
    alice = event("evt_alice", "Alice@Example.com")
    told, dead = planned(alice, "boardy", lease="mine"), planned(alice, "luma", lease="mine")
    await worker.events.register([intent(alice, told, dead, planned(alice, "calcom"))])
    bob = event("evt_bob", "bob@example.com", None)
    await worker.events.register([type(intent(bob))(bob, "hash", ())])
    carol = event("evt_carol", "carol@example.com", None)
    gone = planned(carol, "luma", lease="mine")
    await worker.events.register([intent(carol, gone)])
    await worker.ledger.commit(
        [
            attempted(told.id, "mine", Delivered(), platform_id="boardy"),
            attempted(dead.id, "mine", EXHAUSTED, answer="out\x1b[31m of order"),
            attempted(gone.id, "mine", DeadLettered(DeadReason.GONE, disables_platform=True)),
        ]
    )
    await worker.ledger.commit([LetterConfirmed(one.id, replays=0) for one in (dead, gone)])


@pytest.fixture
def historian(any_operator: Operator) -> Operator:
    """An operator with a past."""
    any_operator.arrange(past)
    return any_operator


def ids(found: Any, field: str = "platform_id") -> list[str]:
    return sorted(one[field] for one in found)


def test_deliveries_have_the_fields_of_the_contract(historian: Operator) -> None:
    """In its order, absent values null, times RFC 3339 in UTC."""
    found = historian.ask("deliveries", "list")
    assert [list(one) for one in found] == [DELIVERY] * 4
    by_platform = {(one["event_id"], one["platform_id"]): one for one in found}
    told = by_platform["evt_alice", "boardy"]
    assert (told["state"], told["attempts"], told["last_status"]) == ("delivered", 1, 200)
    assert told["next_at"] is None
    assert told["settled_at"].endswith("Z")
    waiting = by_platform["evt_alice", "calcom"]
    assert (waiting["state"], waiting["last_result"]) == ("pending", None)
    assert waiting["next_at"].endswith("Z")
    assert waiting["delivery_id"].startswith("wh_del_")


def test_dead_letters_have_the_fields_of_the_contract(historian: Operator) -> None:
    """Only what is dead, with the reason."""
    found = historian.ask("dlq", "list")
    assert [list(one) for one in found] == [DEAD] * 2
    assert ids(found, "reason") == ["exhausted", "gone"]
    assert all(one["dead_at"].endswith("Z") and one["replays"] == 0 for one in found)


@pytest.mark.parametrize(
    ("noun", "fields"),
    [
        ("deliveries", [*DELIVERY, "timeline", "reason", "because", "curl"]),
        ("dlq", [*DEAD, "timeline", "curl"]),
    ],
)
def test_show_adds_the_timeline(historian: Operator, noun: str, fields: list[str]) -> None:
    """Every attempt with its answer."""
    (letter,) = historian.ask("dlq", "list", "--why", "exhausted")
    shown = historian.ask(noun, "show", letter["delivery_id"])
    assert list(shown) == fields
    (attempt,) = shown["timeline"]
    assert list(attempt) == ATTEMPT
    assert (attempt["attempt"], attempt["result"], attempt["status"]) == (1, "refused", 500)
    assert attempt["answer"] == "out\x1b[31m of order"


def test_a_terminal_is_not_told_what_to_do_by_an_answer(historian: Operator) -> None:
    """Escape codes of a stranger are shown, not obeyed."""
    (letter,) = historian.ask("dlq", "list", "--why", "exhausted")
    shown = historian.fanout("dlq", "show", letter["delivery_id"]).stdout
    assert "\x1b" not in shown
    assert "\\x1b[31m of order" in shown


def test_a_delivery_that_is_not_dead_is_no_dead_letter(historian: Operator) -> None:
    """Exit 5 says in which state it is."""
    (told,) = historian.ask("deliveries", "list", "--state", "delivered")
    for command in (("dlq", "show"), ("dlq", "replay", "--yes")):
        said = historian.refused(*command, told["delivery_id"], code=5)
        assert told["delivery_id"] in said
        assert "delivered" in said


FILTERS = {
    "platform": (("--platform", "boardy"), ["boardy"]),
    "two platforms": (("--platform", "boardy", "--platform", "calcom"), ["boardy", "calcom"]),
    "reason": (("--why", "gone"), ["luma"]),
    "class of status": (("--status", "2xx"), ["boardy"]),
    "status": (("--status", "500"), ["luma", "luma"]),
    "user": (("--user", "ALICE@example.com"), ["boardy", "calcom", "luma"]),
    "unknown user": (("--user", "nobody@example.com"), []),
    "event": (("--event", "evt_carol"), ["luma"]),
    "state": (("--state", "pending"), ["calcom"]),
    "since": (("--since", "1h"), ["boardy", "calcom", "luma", "luma"]),
    "until": (("--until", "2020-01-01T00:00:00Z"), []),
    "limit": (("--limit", "4", "--platform", "luma"), ["luma", "luma"]),
    "all together": (("--platform", "luma", "--status", "5xx", "--event", "evt_alice"), ["luma"]),
}


def test_filters_narrow_the_list(historian: Operator) -> None:
    """Each alone, and together they must all hold."""
    for name, (options, expected) in FILTERS.items():
        assert ids(historian.ask("deliveries", "list", *options)) == expected, name
    assert ids(historian.ask("dlq", "list", "--user", "carol@example.com"), "reason") == ["gone"]
    assert ids(historian.ask("dlq", "list", "--since", "1h"), "event_id") == [
        "evt_alice",
        "evt_carol",
    ]
    assert historian.ask("dlq", "list", "--until", "2020-01-01T00:00:00Z") == []


def test_the_newest_come_first(historian: Operator) -> None:
    """And --limit keeps the newest."""
    found = historian.ask("deliveries", "list")
    at = [one["created_at"] for one in found]
    assert at == sorted(at, reverse=True)
    assert historian.ask("deliveries", "list", "--limit", "1") == found[:1]


def test_json_lines_are_one_object_a_line(historian: Operator) -> None:
    """The same objects as the array."""
    lines = historian.fanout("deliveries", "list", "-o", "jsonl").stdout
    assert lines.count("\n") == 4
    assert f"[{','.join(lines.splitlines())}]".count("delivery_id") == 4


def test_events_are_listed_without_their_users(historian: Operator) -> None:
    """The counts add up to the recipients; no_recipients finds who was told to nobody."""
    result = historian.fanout("events", "list", "-o", "json")
    assert "example.com" not in result.stdout
    by_id = {one["event_id"]: one for one in result.json()}
    alice = by_id["evt_alice"]
    assert (alice["recipients"], alice["outcome"]) == (3, "fanned_out")
    assert [alice[one] for one in ("pending", "delivered", "dead", "discarded")] == [1, 1, 1, 0]
    assert ids(historian.ask("events", "list", "--outcome", "no_recipients"), "event_id") == [
        "evt_bob"
    ]
    assert ids(historian.ask("events", "list", "--outcome", "fanned_out"), "event_id") == [
        "evt_alice",
        "evt_carol",
    ]
    assert ids(historian.ask("events", "list", "--user", "bob@EXAMPLE.com"), "event_id") == [
        "evt_bob"
    ]


def test_an_event_is_shown_with_its_user_and_its_deliveries(historian: Operator) -> None:
    """What upstream said, verbatim, and what became of it."""
    shown = historian.ask("events", "show", "evt_alice")
    assert shown["user_email"] == "Alice@Example.com"
    assert shown["google_id"] == "105942374304"
    assert shown["disconnected_at"] == "2025-11-21T15:45:00Z"
    assert ids(shown["deliveries"]) == ["boardy", "calcom", "luma"]
    assert list(shown["deliveries"][0]) == DELIVERY


def test_platforms_count_what_waits_and_what_is_dead(historian: Operator) -> None:
    """`platforms list` has the open dead letters; `enable` says how to send them."""
    found = historian.ask("platforms", "list")
    assert {one["id"]: (one["pending"], one["dead_letters"]) for one in found} == {
        "boardy": (0, 0),
        "calcom": (1, 0),
        "luma": (0, 2),
    }
    (luma,) = [one for one in found if one["id"] == "luma"]
    assert (luma["state"], luma["disabled_reason"]) == ("disabled", "gone")
    assert luma["disabled_by"].startswith("wh_del_")
    said = historian.fanout("platforms", "enable", "luma").stderr
    assert "fanout dlq replay --platform luma" in said


def test_a_removed_platform_is_known_by_its_deliveries(historian: Operator) -> None:
    """Its past can still be filtered by its id."""
    historian.ask("platforms", "remove", "luma")
    assert len(historian.ask("dlq", "list", "--platform", "luma")) == 2


@pytest.mark.parametrize("command", ["events show", "explain", "events resolve"])
def test_one_damaged_event_is_named_and_harms_no_other(historian: Operator, command: str) -> None:
    """Not the key is wrong, but the row; others are listed, shown and explained as ever."""

    async def damage(world: SqlWorld) -> None:
        async with world.database.record() as connection:
            mine = update(events).where(events.c.id == "evt_alice")
            await connection.execute(mine.values(sealed=b"gAAAAA no token of anybody's"))

    historian.arrange(damage)
    said = historian.refused(*command.split(), "evt_alice", code=1)
    assert "evt_alice" in said
    assert "set aside" in said
    historian.ask(*command.split(), "evt_carol")
    assert {one["event_id"] for one in historian.ask("events", "list")} >= {"evt_alice"}
