"""``fanout explain``: per platform told or not, by which link, in which state, and why."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.harness.store.examples import (
    DISCONNECTED_AT,
    EXHAUSTED,
    RETRY,
    attempted,
    event,
    intent,
    planned,
)
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.operator import Operator

from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.event import DisconnectEvent, Provider
from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.domain.link import Link
from disconnect_fanout.policy.change import LetterConfirmed
from disconnect_fanout.policy.decide import Delivered

KEYS = [
    "event_id", "platform_id", "told", "state", "next_at", "last_result", "near_miss", "link",
    "because",
]  # fmt: skip
LONG_BEFORE = DISCONNECTED_AT - timedelta(days=300)
ALICE = "alice@example.com"

REASONS = {
    "accepted": (True, "delivered", "its link held at the disconnect; it accepted at"),
    "after": (False, None, "linked at 2025-11-21T15:45:01Z, after the disconnect at 2025-11-21T15"),
    "apple": (False, None, "its link is for apple, and the event is google's"),
    "before": (False, None, "ended at 2025-11-21T15:44:57Z, over 2s before the disconnect"),
    "dead": (False, "dead", "a dead letter (exhausted), attempt 1: refused 500; to send it: fan"),
    "disabled": (False, "dead", "a dead letter (endpoint_disabled), no attempt so far"),
    "discarded": (False, "discarded", "discarded by an operator: closed down"),
    "due": (False, "pending", "it is due; only the workers know if the platform's breaker"),
    "graced": (False, "pending", "its link ended at 2025-11-21T15:44:58Z, within the grace"),
    "late": (False, None, "recorded after the event had come; to tell it: fanout events resolve"),
    "nobody": (False, None, "no link of this user to it is recorded"),
    "paused": (False, "pending", "paused; to let it go: fanout platforms resume paused"),
    "retried": (False, "pending", "the next attempt is at"),
    "sending": (False, "pending", "an attempt is under way"),
}


def link(platform: str, **changes: Any) -> Link:
    """Alice's link that holds for long, changed."""
    return Link(**{"email": ALICE, "platform_id": platform, "linked_at": LONG_BEFORE, **changes})


def alice(event_id: str, platform_ids: tuple[str, ...] | None = None) -> DisconnectEvent:
    """An event of hers."""
    one = event(event_id, "Alice@Example.com", None)
    return DisconnectEvent(
        one.id, one.timestamp, one.user, one.provider, one.disconnected_at, one.reason,
        platform_ids=platform_ids,
    )  # fmt: skip


async def past(world: SqlWorld) -> None:
    """Everything that can become of a platform, once each; and a second event for one of them."""
    worker = world.worker
    recorded = [name for name, (_, state, _) in REASONS.items() if state is not None]
    for one in REASONS:
        await world.add_platform(one, enabled=one != "disabled")
    await world.add_links(
        *(link(one) for one in recorded if one != "graced"),
        link("graced", unlinked_at=DISCONNECTED_AT - timedelta(seconds=2)),
        link("after", linked_at=DISCONNECTED_AT + timedelta(seconds=1)),
        link("apple", provider=Provider.APPLE),
        link("before", unlinked_at=DISCONNECTED_AT - timedelta(seconds=3)),
        link("late"),
    )
    first = alice("evt_first")
    leased = {"accepted", "dead", "discarded", "retried", "sending"}
    plans = [
        planned(first, one, lease="mine" if one in leased else None)
        for one in recorded
        if one != "disabled"
    ]
    plans.append(planned(first, "disabled", dead=DeadReason.ENDPOINT_DISABLED))
    await worker.events.register([intent(first, *plans)])
    name = {one: delivery_id("evt_first", one) for one in recorded}
    await worker.ledger.commit(
        [
            attempted(name["accepted"], "mine", Delivered(), platform_id="accepted"),
            attempted(name["dead"], "mine", EXHAUSTED, platform_id="dead"),
            attempted(name["discarded"], "mine", EXHAUSTED, platform_id="discarded"),
            attempted(name["retried"], "mine", RETRY, platform_id="retried"),
        ]
    )
    dead = ("dead", "discarded", "disabled")
    await worker.ledger.commit([LetterConfirmed(name[one], replays=0) for one in dead])
    second = alice("evt_second", ("accepted", "unknown"))
    told = planned(second, "accepted", lease="mine")
    unknown = planned(second, "unknown", dead=DeadReason.UNKNOWN_PLATFORM)
    await worker.events.register([intent(second, told, unknown)])


@pytest.fixture
def operator1(any_operator: Operator) -> Operator:
    """An operator with one user's past."""
    any_operator.arrange(past)
    any_operator.ask("platforms", "pause", "paused")
    discard = ("dlq", "discard", delivery_id("evt_first", "discarded"), "--yes")
    any_operator.ask(*discard, "--because", "closed down")
    return any_operator


def explained(operator: Operator, *args: str) -> dict[str, Any]:
    return {one["platform_id"]: one for one in operator.ask("explain", *args)}


def test_every_platform_is_explained(operator1: Operator) -> None:
    """Told or not, the state, and why: each case has its own words."""
    found = explained(operator1, "evt_first")
    assert all(list(one) == KEYS for one in found.values())
    assert list(found) == sorted(REASONS)
    for name, (told, state, words) in REASONS.items():
        assert (found[name]["told"], found[name]["state"]) == (told, state), name
        assert words in found[name]["because"]


def test_the_link_that_decides_is_shown_with_its_interval(operator1: Operator) -> None:
    """Absent ends are null; without a link there is none."""
    found = explained(operator1, "evt_first")
    assert found["accepted"]["link"] == {
        "linked_at": "2025-01-25T15:45:00Z",
        "unlinked_at": None,
        "provider": None,
    }
    assert found["before"]["link"]["unlinked_at"] == "2025-11-21T15:44:57Z"
    assert found["apple"]["link"]["provider"] == "apple"
    assert found["nobody"]["link"] is None


def test_what_comes_next_and_what_came_last_are_fields(operator1: Operator) -> None:
    """For a program that reads it."""
    retried = explained(operator1, "evt_first")["retried"]
    assert retried["last_result"] == "refused"
    assert datetime.fromisoformat(retried["next_at"]).tzinfo is not None
    assert retried["next_at"][:19] in retried["because"]


def test_explicit_recipients_override_the_links(operator1: Operator) -> None:
    """Who is named is told, who is only linked is not."""
    found = explained(operator1, "evt_second")
    assert found["accepted"]["because"].startswith("the event names it as a recipient")
    assert found["unknown"]["state"] == "pending"
    assert "its dead letter is on the way (unknown_platform)" in found["unknown"]["because"]
    assert "this is none of them" in found["late"]["because"]
    assert not found["late"]["told"]


def test_resolving_an_event_is_what_explain_says_it_is(operator1: Operator) -> None:
    """The platform that it would tell is the platform that is told then."""
    assert operator1.ask("events", "resolve", "evt_first")["added"] == ["late"]
    late = explained(operator1, "evt_first")["late"]
    assert (late["state"], late["told"]) == ("pending", False)


def test_a_user_is_explained_event_by_event(operator1: Operator) -> None:
    """However the address is written; --platform narrows it, --limit takes the newest events."""
    options = ("--user", "ALICE@example.com", "--platform", "accepted")
    found = operator1.ask("explain", *options)
    assert sorted(one["event_id"] for one in found) == ["evt_first", "evt_second"]
    assert {one["platform_id"] for one in found} == {"accepted"}
    newest = operator1.fanout("explain", *options, "--limit", "1", "-o", "json")
    assert newest.json() == found[:1]
    assert "--limit" in newest.stderr
    assert operator1.ask("explain", "--user", "nobody@example.com") == []


def test_a_removed_platform_is_still_explained(operator1: Operator) -> None:
    """By what was recorded of it, and by its link."""
    operator1.ask("platforms", "remove", "accepted")
    assert explained(operator1, "evt_first")["accepted"]["told"]
    operator1.ask("platforms", "remove", "due")
    assert "not registered" in explained(operator1, "evt_first")["due"]["because"]


def test_the_table_is_for_people(operator1: Operator) -> None:
    """An interval in a cell, and no address."""
    table = operator1.fanout("explain", "evt_first").stdout
    assert "2025-01-25T15:45:00Z … now" in table
    assert "2025-01-25T15:45:00Z … now (apple)" in table
    assert "@" not in table


def test_an_unknown_event_is_exit_5(operator: Operator) -> None:
    """And so is an unknown platform; both are named."""
    assert "evt_none" in operator.refused("explain", "evt_none", code=5)
    user = ("explain", "--user", "alice@example.com")
    assert "plat_none" in operator.refused(*user, "--platform", "plat_none", code=5)


@pytest.mark.parametrize("args", [(), ("evt_1", "--user", "alice@example.com")])
def test_an_event_or_a_user(newcomer: Operator, args: tuple[str, ...]) -> None:
    """One of them, not both: exit 2."""
    newcomer.refused("explain", *args, code=2)


def test_a_forgotten_user_is_not_brought_back(any_operator: Operator) -> None:
    """The event is still known, who was linked is not; there is no request to copy."""
    told = delivery_id("evt_first", "luma")

    async def one_told(world: SqlWorld) -> None:
        await world.add_platform("luma")
        first = alice("evt_first")
        await world.worker.events.register([intent(first, planned(first, "luma", lease="mine"))])
        await world.worker.ledger.commit([attempted(told, "mine", Delivered())])

    any_operator.arrange(one_told)
    assert any_operator.ask("deliveries", "show", told)["curl"].startswith("curl ")
    any_operator.ask("privacy", "forget", "--email", ALICE, "--yes")
    result = any_operator.fanout("explain", "evt_first", "-o", "json")
    assert result.json() == []
    assert "forgotten" in result.stderr
    assert any_operator.ask("explain", "--user", ALICE) == []
    shown = any_operator.ask("deliveries", "show", told)
    assert (shown["state"], shown["curl"]) == ("delivered", None)
