"""An address on the command line: its mailbox in every spelling, and no namesake's."""

from typing import Any

import pytest
from tests.harness.store.examples import EXHAUSTED, attempted, event, intent, planned
from tests.harness.store.older_version import OlderVersion
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.operator import Operator

from disconnect_fanout.policy.change import LetterConfirmed

STREET, STRASSE = "stra\u00dfe@x.example", "strasse@x.example"
LETTERS, LABELS = "x@b\u00fccher.example", "X@XN--BCHER-KVA.example."
KELVIN = "\u212a@x.example"
EVENTS = {"evt_ss": STREET, "evt_two": STRASSE, "evt_book": LETTERS, "evt_kelvin": KELVIN}
SEEN = {
    STREET: "evt_ss", "STRA\u1e9eE@x.example": "evt_ss", STRASSE.upper(): "evt_two",
    LABELS: "evt_book", "x@bu\u0308cher.example": "evt_book", "\u212a@x.example": "evt_kelvin",
}  # fmt: skip


async def letters(world: SqlWorld, *, older: bool) -> None:
    """One dead letter of each user, to luma, whom they were all linked to."""
    await world.add_platform("luma")
    for event_id, email in EVENTS.items():
        one = event(event_id, email, None)
        delivery = planned(one, "luma", lease="mine")
        registered = intent(one, delivery)
        if older:
            await OlderVersion(world).event(registered)
        else:
            await world.worker.events.register([registered])
        dead = attempted(delivery.id, "mine", EXHAUSTED)
        await world.worker.ledger.commit([dead])
        await world.worker.ledger.commit([LetterConfirmed(delivery.id, 0)])


@pytest.fixture(params=[False, True], ids=["written now", "written by an older version"])
def keeper(any_operator: Operator, request: pytest.FixtureRequest) -> Operator:
    """An operator with these dead letters and links; nobody has looked at older rows yet."""

    async def past(world: SqlWorld) -> None:
        await letters(world, older=request.param)

    any_operator.arrange(past)
    for email in EVENTS.values():
        any_operator.ask("links", "add", "--email", email, "--platform", "luma",
                         "--at", "2025-01-01T00:00:00Z")  # fmt: skip
    return any_operator


def ids(found: list[dict[str, Any]]) -> set[str]:
    return {one["event_id"] for one in found}


def test_every_filter_finds_a_mailbox_and_no_namesake(keeper: Operator) -> None:
    """Lists, explanations, counts and what a replay would send."""
    for email, event_id in SEEN.items():
        for command in (("deliveries", "list"), ("dlq", "list"), ("events", "list"), ("explain",)):
            assert ids(keeper.ask(*command, "--user", email)) == {event_id}, (command, email)
        again = keeper.fanout("dlq", "replay", "--user", email, "--dry-run", "-o", "json").json()
        assert (again["selected"], again["reconnected"]) == (1, 0)
        assert [one["platform_id"] for one in keeper.ask("links", "list", "--email", email)] == [
            "luma"
        ]


def test_a_link_is_ended_in_any_spelling_and_no_namesakes(keeper: Operator) -> None:
    """Each once; the address is shown in letters."""
    for email in (STREET, LABELS, "\u212a@x.example"):
        (ended,) = keeper.ask("links", "end", "--email", email, "--platform", "luma")
        assert ended["unlinked_at"] is not None
        keeper.refused("links", "end", "--email", email, "--platform", "luma", code=5)
    (shown,) = keeper.ask("links", "list", "--email", LABELS)
    assert shown["email"] == LETTERS
    (open_still,) = keeper.ask("links", "list", "--email", STRASSE)
    assert open_still["unlinked_at"] is None


def test_a_link_that_is_there_is_not_added_in_another_spelling(keeper: Operator) -> None:
    """Neither by a command nor by a file; a namesake's is another one."""
    keeper.ask("links", "add", "--email", LABELS, "--platform", "luma")
    file = keeper.folder / "links.csv"
    file.write_text(
        "email,platform_id,linked_at\n"
        "x@bu\u0308cher.example,luma,2025-01-01T00:00:00Z\n"
        "x@bucher.example,luma,2025-01-01T00:00:00Z\n",
        encoding="utf-8",
    )
    keeper.ask("links", "import", str(file))
    assert len(keeper.ask("links", "list", "--email", LETTERS)) == 1
    assert len(keeper.ask("links", "list", "--email", "x@bucher.example")) == 1


def test_forgetting_a_mailbox_leaves_its_namesake(keeper: Operator) -> None:
    """Their link, event and dead letter go, whoever wrote them; nobody else's do."""
    for email, neighbour in ((STREET, STRASSE), (LABELS, "\u212a@x.example")):
        done = keeper.ask("privacy", "forget", "--email", email, "--discard", "--yes")
        assert (done["links"], done["events"], done["discarded"]) == (1, 1, 1)
        assert keeper.ask("deliveries", "list", "--user", email) == []
        assert len(keeper.ask("dlq", "list", "--user", neighbour)) == 1
        assert len(keeper.ask("links", "list", "--email", neighbour)) == 1


def test_a_credential_is_its_mailboxes(keeper: Operator) -> None:
    """Noted in whatever spelling; shown in letters."""
    made = ("credentials", "add", "--type", "google_calendar", "--user-id", "7")
    keeper.ask(*made, "--id", "1", "--email", LABELS)
    keeper.ask(*made, "--id", "2", "--email", STREET)
    assert [one["email"] for one in keeper.ask("credentials", "list")] == [
        LETTERS, STREET,
    ]  # fmt: skip
    done = keeper.ask("privacy", "forget", "--email", STRASSE, "--discard", "--yes")
    assert done["credentials"] == 0
    done = keeper.ask("privacy", "forget", "--email", LETTERS, "--discard", "--yes")
    assert done["credentials"] == 1
