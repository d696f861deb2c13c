"""A long history stays quick to look into; tests/soak has a million of them."""

import asyncio
import time

import pytest
from tests.harness.worker.operator import Operator
from tests.soak.long_history import PLATFORMS, event_id, user, write_history

from disconnect_fanout.adapters.crypto.vault import Vault

DELIVERIES, DEAD = 40_000, 10_000
COMMANDS = (
    "dlq list",
    "dlq list --platform plat_03 --why gone",
    "dlq list --status 404",
    "dlq groups",
    "dlq groups --status 5xx --since 7d",
    "dlq stats",
    f"dlq list --user {user(77)}",
    f"deliveries list --event {event_id(77)}",
    "deliveries list --state pending",
    "deliveries list --state discarded",
    "deliveries list --why unknown_platform",
    "deliveries list --status 404",
    "deliveries list --platform plat_07 --until 29d",
)


@pytest.fixture
def archivist(any_operator: Operator) -> Operator:
    """An operator with 10,000 dead letters among 40,000 deliveries."""
    url = any_operator.settings["FANOUT_DATABASE_URL"]
    vault = Vault([any_operator.settings["FANOUT_SECRET_KEY"]])
    asyncio.run(write_history(url, vault, deliveries=DELIVERIES, dead=DEAD))
    return any_operator


def test_looking_into_a_long_history_takes_no_second(archivist: Operator) -> None:
    """The command without the start of its process, which is the same for all."""
    for command in COMMANDS:
        began = time.monotonic()
        archivist.ask(*command.split())
        assert time.monotonic() - began < 1.0, command


def test_the_counts_add_up(archivist: Operator) -> None:
    """Groups, stats, platforms and the export count the same dead letters."""
    groups = archivist.ask("dlq", "groups", "--limit", "1000")
    assert sum(one["count"] for one in groups) == DEAD
    assert {one["platform_id"] for one in groups} == set(PLATFORMS)
    assert archivist.ask("dlq", "stats")["depth"] == DEAD
    assert sum(one["dead_letters"] for one in archivist.ask("platforms", "list")) == DEAD
    assert archivist.fanout("dlq", "export").stdout.count("\n") == DEAD


def test_many_are_discarded_in_one_go(archivist: Operator) -> None:
    """A transaction for each page; nothing is left, and nothing else is touched."""
    options = ("--because", "closed down", "--yes")
    assert archivist.ask("dlq", "discard", "--all", *options)["discarded"] == DEAD
    assert archivist.ask("dlq", "stats")["depth"] == 0
    assert len(archivist.ask("deliveries", "list", "--state", "delivered", "--limit", "3")) == 3
