"""One damaged row in any table: each reading command shows the others, and names it."""

import json

import pytest
from tests.harness.store.damage import ALICE, BAD, DAMAGES, GOOD, Damage, past
from tests.harness.store.row_rules import lift_rules
from tests.harness.worker.operator import Operator

LISTS: dict[tuple[str, ...], int] = {
    ("events", "list"): 2,
    ("events", "list", "--user", ALICE): 2,
    ("deliveries", "list"): 4,
    ("deliveries", "list", "--user", ALICE): 4,
    ("dlq", "list"): 2,
    ("links", "list", "--email", ALICE): 2,
    ("platforms", "list"): 3,
    ("replays", "list"): 2,
    ("explain", "--user", ALICE): 6,
    ("audit", "list"): 7,
    ("keys", "list"): 2,
    ("credentials", "list"): 2,
}
"""How many rows each has when all are good."""

THINGS: list[tuple[str, ...]] = [
    ("events", "show", "evt_good"),
    ("deliveries", "show", GOOD),
    ("dlq", "show", GOOD),
    ("dlq", "stats"),
    ("replays", "show", "rep_good"),
    ("platforms", "show", "boardy"),
    ("explain", "evt_good"),
    ("dlq", "groups"),
    ("dlq", "replay", "--all", "--dry-run"),
    ("secret-key", "status"),
]
BAD_THINGS: list[tuple[str, ...]] = [
    ("events", "show", "evt_bad"),
    ("deliveries", "show", BAD),
    ("dlq", "show", BAD),
    ("replays", "show", "rep_bad"),
    ("platforms", "show", "luma"),
    ("explain", "evt_bad"),
]


def settle(operator: Operator) -> Operator:
    """Give the operator two rows of each table, and no rule that refuses a bad one."""
    operator.arrange(past)
    operator.ask("platforms", "add", "cal", "--name", "N", "--url", "https://n.example/")
    for one in ("luma", "boardy"):
        at = ("--at", "2020-01-01T00:00:00Z")
        operator.ask("links", "add", "--email", ALICE, "--platform", one, *at)
        operator.ask("keys", "create", "--platform", one)
    operator.arrange(lift_rules)
    for number, user in (("1", "7"), ("2", "8")):
        what = ("--id", number, "--type", "google_calendar", "--user-id", user, "--email", ALICE)
        operator.ask("credentials", "add", *what)
    return operator


def test_undamaged_rows_are_all_shown(any_operator: Operator) -> None:
    """Exit 0, and not a word."""
    settled = settle(any_operator)
    for args, count in LISTS.items():
        assert len(settled.ask(*args)) == count, args
    for args in (*THINGS, *BAD_THINGS):
        assert settled.fanout(*args, "-o", "json").exit_code == 0, args


@pytest.mark.parametrize("damage", [one for one in DAMAGES if one.everywhere], ids=str)
def test_a_damaged_row_harms_only_itself(any_operator: Operator, damage: Damage) -> None:
    """The others are shown; who leaves it out names it and is exit 1; nobody ends in a traceback.

    Fails before: a traceback instead of the list, or a row that was missing unsaid.
    """
    harms_only_itself(settle(any_operator), damage)


@pytest.mark.parametrize("damage", [one for one in DAMAGES if not one.everywhere], ids=str)
def test_a_value_of_another_type_harms_only_its_row(operator: Operator, damage: Damage) -> None:
    """SQLite stores it; PostgreSQL's columns refuse it. Fails before: a traceback."""
    harms_only_itself(settle(operator), damage)


def harms_only_itself(settled: Operator, damage: Damage) -> None:
    """Run all reading commands; only what is damaged is missing, and said to be."""
    settled.arrange(damage.do)
    for args, count in LISTS.items():
        result = settled.fanout(*args, "-o", "json")
        missing = count - len(json.loads(result.stdout))
        named = f"{damage.table.name} " in result.stderr and damage.column in result.stderr
        assert missing <= 3 if args[0] == "explain" else missing <= 1, (args, result)
        otherwise = args[0] == "explain" or (args[0], damage.column) == ("dlq", "state")
        assert not missing or named or otherwise, (args, result)
        assert result.exit_code == int(named), (args, result)
        assert settled.fanout(*args).exit_code == result.exit_code, args
    for args in THINGS:
        assert settled.fanout(*args, "-o", "json").exit_code in {0, 1}, args
    for args in BAD_THINGS:
        result = settled.fanout(*args, "-o", "json")
        assert result.exit_code in {0, 1, 5}, (args, result)
        assert result.exit_code in {0, 5} or damage.table.name[:5] in result.stderr, (args, result)
    exported = settled.fanout("dlq", "export")
    assert GOOD in exported.stdout
    left_out = BAD not in exported.stdout and damage.column != "state"
    assert left_out is (exported.exit_code == 1)
