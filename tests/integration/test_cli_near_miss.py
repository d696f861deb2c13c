"""A near miss is seen: in the list of events, in one event, and explained."""

import pytest
from tests.harness.store.examples import event, intent, link, planned
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.operator import Operator

from disconnect_fanout.domain.identity import content_hash
from disconnect_fanout.flow.intent import Intent


async def past(world: SqlWorld) -> None:
    """Alice is linked to luma under another Google id, to cal under hers, to boardy not at all."""
    for one in ("boardy", "cal", "luma"):
        await world.add_platform(one)
    await world.add_links(
        link("alice@example.com", "luma", "7"), link("alice@example.com", "cal", "105942374304")
    )
    missed, whole = event("evt_missed"), event("evt_whole", email="bob@example.com")
    told = intent(missed, planned(missed, "cal"))
    await world.worker.events.register(
        [
            Intent(missed, told.content_hash, told.deliveries, near_misses=1),
            Intent(whole, content_hash(whole), ()),
        ]
    )


@pytest.fixture
def seer(any_operator: Operator) -> Operator:
    """An operator with such a past."""
    any_operator.arrange(past)
    return any_operator


def test_events_with_a_near_miss_are_listed(seer: Operator) -> None:
    """And only these; each event says how many platforms it misses."""
    (found,) = seer.ask("events", "list", "--near-miss")
    assert (found["event_id"], found["near_misses"]) == ("evt_missed", 1)
    assert {one["near_misses"] for one in seer.ask("events", "list")} == {0, 1}
    assert seer.ask("events", "show", "evt_missed")["near_misses"] == 1
    assert seer.ask("events", "list", "--near-miss", "--user", "bob@example.com") == []
    assert "evt_missed" in seer.fanout("events", "list", "--near-miss").stdout


def test_it_is_explained_by_platform(seer: Operator) -> None:
    """Not told: the address is linked, under another Google account; and no id is shown."""
    result = seer.fanout("explain", "evt_missed", "-o", "json")
    found = {one["platform_id"]: one for one in result.json()}
    assert {name: one["near_miss"] for name, one in found.items()} == {
        "boardy": False,
        "cal": False,
        "luma": True,
    }
    assert not found["luma"]["told"]
    assert "linked to it, but under another Google account" in found["luma"]["because"]
    assert "105942374304" not in result.stdout


def test_once_mended_it_is_resolved(seer: Operator) -> None:
    """The link with the right id is imported, the platform is told, the event leaves the list."""
    (seer.folder / "l.csv").write_text(
        "email,platform_id,google_id\nalice@example.com,luma,105942374304\n"
    )
    seer.ask("links", "import", "l.csv")
    assert seer.ask("events", "resolve", "evt_missed")["added"] == ["luma"]
    assert seer.ask("events", "list", "--near-miss") == []
    (luma,) = seer.ask("explain", "evt_missed", "--platform", "luma")
    assert not luma["near_miss"]
