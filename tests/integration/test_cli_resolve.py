"""``fanout events resolve``: recipients whose link was recorded after their event."""

from typing import Any

import pytest
from tests.harness.store.examples import event, intent, planned
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.operator import Operator

from disconnect_fanout.domain.identity import content_hash, delivery_id
from disconnect_fanout.flow.intent import Intent

LINK = ("links", "add", "--email", "alice@example.com", "--platform")


async def past(world: SqlWorld) -> None:
    """One event that told nobody, and one that is on its way to luma."""
    for one in ("boardy", "luma"):
        await world.add_platform(one)
    lonely, heard = event("evt_lonely"), event("evt_heard")
    await world.worker.events.register(
        [
            Intent(lonely, content_hash(lonely), ()),
            intent(heard, planned(heard, "luma", lease="mine")),
        ]
    )


@pytest.fixture
def resolver(any_operator: Operator) -> Operator:
    """An operator with a past."""
    any_operator.arrange(past)
    return any_operator


def recipients(operator: Operator, event_id: str) -> Any:
    return operator.ask("events", "show", event_id)


def test_an_event_for_nobody_finds_its_late_recipients(resolver: Operator) -> None:
    """Links that held at the disconnect are planned, due now; the count of recipients follows."""
    resolver.ask(*LINK, "luma", "--at", "2025-11-01T00:00:00Z")
    resolver.ask(*LINK, "boardy", "--at", "2025-11-21T15:45:00Z")
    assert resolver.ask("events", "resolve", "evt_lonely") == {
        "event_id": "evt_lonely",
        "added": ["boardy", "luma"],
        "recipients": 2,
        "reconnected": 0,
    }
    shown = recipients(resolver, "evt_lonely")
    assert (shown["outcome"], shown["recipients"], shown["pending"]) == ("fanned_out", 2, 2)
    assert resolver.ask("events", "list", "--outcome", "no_recipients") == []

    due: list[str] = []

    async def claim(world: SqlWorld) -> None:
        claims = await world.worker.due.claim(
            "boardy", limit=9, lease_s=9, holding=(), reclaim=False
        )
        due.extend(one.delivery.id for one in claims)

    resolver.arrange(claim)
    assert due == [delivery_id("evt_lonely", "boardy")]


def test_resolving_twice_adds_nothing(resolver: Operator) -> None:
    """Nobody is told twice."""
    resolver.ask(*LINK, "luma", "--at", "2025-11-01T00:00:00Z")
    resolver.ask("events", "resolve", "evt_lonely")
    again = resolver.ask("events", "resolve", "evt_lonely")
    assert (again["added"], again["recipients"]) == ([], 1)


def test_what_is_on_its_way_is_left_alone(resolver: Operator) -> None:
    """Only the platform without a delivery is added."""
    for one in ("luma", "boardy"):
        resolver.ask(*LINK, one, "--at", "2025-11-01T00:00:00Z")
    assert resolver.ask("events", "resolve", "evt_heard")["added"] == ["boardy"]
    assert recipients(resolver, "evt_heard")["recipients"] == 2


def test_a_link_made_after_the_disconnect_is_not_resolved(resolver: Operator) -> None:
    """The rule of the recipients is the one of the fan-out."""
    resolver.ask(*LINK, "luma", "--at", "2025-11-21T15:45:01Z")
    assert resolver.ask("events", "resolve", "evt_lonely")["added"] == []


def test_a_late_recipient_that_can_t_be_told_is_a_dead_letter(resolver: Operator) -> None:
    """A disabled platform gets `endpoint_disabled`, never silence."""
    resolver.ask(*LINK, "luma", "--at", "2025-11-01T00:00:00Z")
    resolver.ask("platforms", "disable", "luma")
    assert resolver.ask("events", "resolve", "evt_lonely")["added"] == ["luma"]
    letters: list[object] = []

    async def decided(world: SqlWorld) -> None:
        letters.extend(await world.worker.letters.decided([delivery_id("evt_lonely", "luma")]))

    resolver.arrange(decided)
    assert [str(getattr(one, "reason", "")) for one in letters] == ["endpoint_disabled"]


def test_who_has_come_back_since_is_not_told(resolver: Operator) -> None:
    """A late telling would cut him off: counted, at that platform alone, by address or account."""
    for one in ("luma", "boardy"):
        end = ("--at", "2025-11-21T15:45:00Z")
        resolver.ask(*LINK, one, "--at", "2025-11-01T00:00:00Z")
        resolver.ask("links", "end", *LINK[2:], one, *end)
    again = ("links", "add", "--email", "alice@new.example", "--google-id", "105942374304")
    resolver.ask(*again, "--platform", "luma", "--at", "2025-11-22T00:00:00Z")
    assert resolver.ask("events", "resolve", "evt_lonely") == {
        "event_id": "evt_lonely",
        "added": ["boardy"],
        "recipients": 1,
        "reconnected": 1,
    }
    (audited,) = resolver.ask("audit", "list", "--limit", "1")
    assert audited["counts"] == {"added": 1, "reconnected": 1}


def test_who_was_told_already_is_not_counted_as_reconnected(resolver: Operator) -> None:
    """Only late recipients are left out; nothing changes for luma, which has its delivery."""
    resolver.ask(*LINK, "luma", "--at", "2025-11-01T00:00:00Z")
    resolver.ask("links", "end", *LINK[2:], "luma", "--at", "2025-11-21T15:45:00Z")
    resolver.ask(*LINK, "luma", "--at", "2025-11-22T00:00:00Z")
    resolved = resolver.ask("events", "resolve", "evt_heard")
    assert (resolved["added"], resolved["recipients"], resolved["reconnected"]) == ([], 1, 0)
