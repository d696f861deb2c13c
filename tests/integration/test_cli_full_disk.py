"""Commands on a SQLite file whose disk takes nothing more (the kernel refuses a larger file)."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.harness.worker.operator import Operator

ADD = ("platforms", "add", "cal", "--name", "Cal", "--url", "https://cal.example.com/hook")
LINK = ("links", "add", "--email", "bob@example.com", "--platform", "luma")
COMMANDS = {
    "add a platform": ADD,
    "add a link": LINK,
    "list platforms": ("platforms", "list"),
    "list deliveries": ("deliveries", "list"),
    "forget": ("privacy", "forget", "--email", "bob@example.com", "--yes"),
    "migrate": ("migrate",),
}


@contextmanager
def no_room() -> Iterator[None]:
    """Whatever this process writes into a file is refused."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def settled(operator: Operator) -> Operator:
    """An operator with a platform and its link."""
    operator.ask(*ADD[:2], "luma", *ADD[3:])
    operator.ask(*LINK[:3], "alice@example.com", *LINK[4:])
    return operator


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_full_disk_is_exit_4_and_nothing_is_lost(settled: Operator, kind: str) -> None:
    """The disk is named, and what to do. Fails before: "disk I/O error" and no more."""
    with no_room():
        said = settled.refused(*COMMANDS[kind], code=4)
    assert "make room on the disk of" in said
    assert "fanout.db" in said
    assert [one["id"] for one in settled.ask("platforms", "list")] == ["luma"]
    assert len(settled.ask("links", "list", "--email", "alice@example.com")) == 1
    settled.fanout(*COMMANDS[kind])
    settled.ask(*LINK)


def test_check_names_the_full_disk(settled: Operator) -> None:
    """And does not doubt the URL. Fails before: "is FANOUT_DATABASE_URL right?"."""
    with no_room():
        result = settled.fanout("check", "-o", "jsonl")
    assert result.exit_code == 4
    (said,) = [one for one in result.stdout.splitlines() if '"check":"database"' in one]
    assert "make room on the disk of" in said
    assert "FANOUT_DATABASE_URL" not in said
