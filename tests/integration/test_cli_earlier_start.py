"""An earlier start that is learnt later: the link has it, and `events resolve` finds it."""

from typing import Any

import pytest
from tests.harness.store.examples import event, intent, planned
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.operator import Operator

from disconnect_fanout.domain.identity import content_hash
from disconnect_fanout.flow.intent import Intent

HISTORY = "2025-01-01T00:00:00Z"
ADDED = "2025-12-01T00:00:00Z"  # after the disconnect of 2025-11-21
ALICE = ("--email", "alice@example.com")
ADD = ("links", "add", *ALICE, "--platform", "luma", "--at")


async def past(world: SqlWorld) -> None:
    """One event that told nobody, and one that told another platform."""
    for one in ("boardy", "luma"):
        await world.add_platform(one)
    lonely, heard = event("evt_lonely"), event("evt_heard")
    await world.worker.events.register(
        [Intent(lonely, content_hash(lonely), ()), intent(heard, planned(heard, "boardy"))]
    )


@pytest.fixture
def keeper(any_operator: Operator) -> Operator:
    """An operator with a past."""
    any_operator.arrange(past)
    return any_operator


def history(operator: Operator, *rows: str) -> Any:
    header = "email,platform_id,linked_at,unlinked_at\n"
    (operator.folder / "h.csv").write_text(header + "".join(f"{row}\n" for row in rows))
    return operator.ask("links", "import", "h.csv")


def links(operator: Operator) -> list[tuple[str, str | None]]:
    found = operator.ask("links", "list", *ALICE)
    return [(one["linked_at"], one["unlinked_at"]) for one in found]


def test_the_true_history_of_a_link_that_was_added_today_wins(keeper: Operator) -> None:
    """The command says what changed; both events find the platform now; again is nothing."""
    keeper.ask(*ADD, ADDED)
    for one in ("evt_lonely", "evt_heard"):
        assert keeper.ask("events", "resolve", one)["added"] == []
    row = f"Alice@Example.com,luma,{HISTORY},"
    assert history(keeper, row) == {"links": 1, "new": 0, "changed": 1}
    assert links(keeper) == [(HISTORY, None)]
    assert history(keeper, row) == {"links": 1, "new": 0, "changed": 0}
    for one in ("evt_lonely", "evt_heard"):
        assert keeper.ask("events", "resolve", one)["added"] == ["luma"]


def test_both_rows_of_one_person_in_a_file_count(keeper: Operator) -> None:
    """In whichever order; a table says what was done."""
    done = history(keeper, f"alice@example.com,luma,{ADDED},", f"alice@example.com,luma,{HISTORY},")
    assert (done, links(keeper)) == ({"links": 2, "new": 1, "changed": 0}, [(HISTORY, None)])
    table = keeper.fanout("links", "import", "h.csv").stdout
    assert "changed" in table


def test_adding_with_an_earlier_start_says_so(keeper: Operator) -> None:
    """The link that is printed has it."""
    keeper.ask(*ADD, ADDED)
    result = keeper.fanout(*ADD, HISTORY, "-o", "json")
    assert result.json()["linked_at"] == HISTORY
    assert "links: 0 new, 1 changed" in result.stderr


def test_yesterdays_files_open_nothing_that_ended(keeper: Operator) -> None:
    """Neither the history nor the file that knew the later start only."""
    for start in (ADDED, HISTORY):
        history(keeper, f"alice@example.com,luma,{start},")
    end = "2025-12-24T00:00:00Z"
    keeper.ask("links", "end", *ALICE, "--platform", "luma", "--at", end)
    for start in (ADDED, HISTORY):
        done = history(keeper, f"alice@example.com,luma,{start},")
        assert done == {"links": 1, "new": 0, "changed": 0}
    assert links(keeper) == [(HISTORY, end)]


def test_an_ended_interval_that_overlaps_an_open_link_counts_beside_it(keeper: Operator) -> None:
    """The open one goes on; the event of that time finds the platform, to which they came back."""
    keeper.ask(*ADD, ADDED)
    history(keeper, f"alice@example.com,luma,{HISTORY},2025-12-24T00:00:00Z")
    assert sorted(links(keeper)) == [(HISTORY, "2025-12-24T00:00:00Z"), (ADDED, None)]
    found = keeper.ask("events", "resolve", "evt_lonely")
    assert (found["added"], found["reconnected"]) == ([], 1)
