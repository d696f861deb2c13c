"""``dlq groups|stats|show|export|discard``: looked into, taken along, closed."""

import json
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.harness.store.examples import (
    DISCONNECTED_AT,
    EXHAUSTED,
    attempted,
    event,
    intent,
    planned,
)
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.command import FANOUT, environment
from tests.harness.worker.operator import Operator
from tests.harness.worker.terminal import answered

from disconnect_fanout.adapters.broker.codec import encode_webhook
from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.dead_letter import DeadReason
from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.domain.outcome import Result
from disconnect_fanout.policy.change import Attempted, Change, LetterConfirmed
from disconnect_fanout.policy.decide import DeadLettered

GROUP = ["platform_id", "reason", "result", "error", "count"]
ANSWER = "<html>" + "x" * 1018
TIMED_OUT = "no complete answer within {} s"
BECAUSE = ("--because", "closed down on 3 May, ticket 4711")


def failed(name: str, platform: str, result: Result, answer: str, reason: DeadReason) -> Change:
    """The last attempt of a delivery that never got an answer."""
    attempt = Attempt(1, DISCONNECTED_AT, result, None, 12, answer)
    return Attempted(name, platform, "mine", attempt, DeadLettered(reason), 1)


async def past(world: SqlWorld) -> None:
    """Luma refused three and timed out on two; boardy's address is blocked, calcom is disabled."""
    worker = world.worker
    await world.add_platform("boardy")
    await world.add_platform("luma")
    await world.add_platform("calcom", enabled=False)
    changes: list[Change] = []
    for nth in range(5):
        one = event(f"evt_{nth}", f"user{nth}@example.com", None)
        luma, boardy = (planned(one, name, lease="mine") for name in ("luma", "boardy"))
        calcom = planned(one, "calcom", dead=DeadReason.ENDPOINT_DISABLED)
        recipients = (luma, boardy, calcom) if nth == 0 else (luma,)
        await worker.events.register([intent(one, *recipients)])
        if nth < 3:
            changes.append(attempted(luma.id, "mine", EXHAUSTED, answer=ANSWER))
        else:
            words = TIMED_OUT.format(nth)
            changes.append(failed(luma.id, "luma", Result.TIMED_OUT, words, DeadReason.EXHAUSTED))
        if nth == 0:
            words = "the host's address is not a public one"
            changes.append(failed(boardy.id, "boardy", Result.BLOCKED, words, DeadReason.BLOCKED))
    await worker.ledger.commit(changes)
    ended = [change.delivery_id for change in changes if isinstance(change, Attempted)]
    ended.append(delivery_id("evt_0", "calcom"))
    await worker.ledger.commit([LetterConfirmed(one, replays=0) for one in ended])


@pytest.fixture
def operator7(any_operator: Operator) -> Operator:
    """An operator with seven dead letters."""
    any_operator.arrange(past)
    return any_operator


def test_groups_tell_what_dead_letters_have_in_common(operator7: Operator) -> None:
    """Numbers and pages of HTML split no group; the largest comes first."""
    found = operator7.ask("dlq", "groups")
    assert [list(one) for one in found] == [GROUP] * 4
    assert [tuple(one.values()) for one in found] == [
        ("luma", "exhausted", "refused", "5xx", 3),
        ("luma", "exhausted", "timed_out", "no complete answer within …", 2),
        ("boardy", "blocked", "blocked", "the host's address is not a public one", 1),
        ("calcom", "endpoint_disabled", None, None, 1),
    ]


GROUPED = {
    "platform": (("--platform", "luma"), [3, 2]),
    "reason": (("--why", "blocked"), [1]),
    "status": (("--status", "5xx"), [3]),
    "user": (("--user", "USER3@example.com"), [1]),
    "event": (("--event", "evt_0"), [1, 1, 1]),
    "since": (("--since", "1h"), [3, 2, 1, 1]),
    "until": (("--until", "1h"), []),
}


def test_groups_and_stats_take_the_filters_of_the_list(operator7: Operator) -> None:
    """They count what `dlq list` would list."""
    for name, (options, counts) in GROUPED.items():
        found = operator7.ask("dlq", "groups", *options)
        assert [one["count"] for one in found] == counts, name
        assert operator7.ask("dlq", "stats", *options)["depth"] == sum(counts), name
        assert len(operator7.ask("dlq", "list", *options)) == sum(counts), name


def test_a_list_that_was_cut_says_so(operator7: Operator) -> None:
    """Standard error tells that there is more; an exact fit tells nothing."""
    for noun, verb, count in (("dlq", "groups", 4), ("dlq", "list", 7), ("deliveries", "list", 7)):
        cut = operator7.fanout(noun, verb, "--limit", str(count - 1), "-o", "json")
        assert len(cut.json()) == count - 1
        assert "--limit" in cut.stderr
        assert operator7.fanout(noun, verb, "--limit", str(count)).stderr == ""


def test_stats_tell_depth_age_and_rate(operator7: Operator) -> None:
    """Overall, and by platform and reason, with how many died in the last hour and day."""

    async def two_hours(world: SqlWorld) -> None:
        await world.pass_time(7200)

    operator7.arrange(two_hours)

    async def one_more(world: SqlWorld) -> None:
        one = event("evt_new", "new@example.com", None)
        new = planned(one, "luma", lease="mine")
        await world.worker.events.register([intent(one, new)])
        await world.worker.ledger.commit([attempted(new.id, "mine", EXHAUSTED)])
        await world.worker.ledger.commit([LetterConfirmed(new.id, replays=0)])

    operator7.arrange(one_more)
    stats = operator7.ask("dlq", "stats")
    assert (stats["depth"], stats["last_hour"], stats["last_day"]) == (8, 1, 8)
    oldest, newest = (datetime.fromisoformat(stats[one]) for one in ("oldest", "newest"))
    assert timedelta(hours=2) <= newest - oldest < timedelta(hours=3)
    luma, *_ = stats["by_platform"]
    assert list(luma) == [
        "platform_id", "reason", "count", "oldest", "newest", "last_hour", "last_day",
    ]  # fmt: skip
    assert (luma["platform_id"], luma["reason"], luma["count"]) == ("luma", "exhausted", 6)
    assert (luma["last_hour"], luma["last_day"]) == (1, 6)
    assert sum(one["count"] for one in stats["by_platform"]) == stats["depth"]


def test_nothing_dead_is_a_depth_of_zero(any_operator: Operator) -> None:
    """And no time at which the oldest died."""
    stats = any_operator.ask("dlq", "stats")
    assert (stats["depth"], stats["oldest"], stats["by_platform"]) == (0, None, [])
    assert any_operator.ask("dlq", "groups") == []
    assert any_operator.fanout("dlq", "export").stdout == ""


def test_show_has_the_answer_and_a_request_to_copy(operator7: Operator) -> None:
    """The first KiB, and curl with the body byte for byte and no signature."""
    for noun in ("dlq", "deliveries"):
        shown = operator7.ask(noun, "show", delivery_id("evt_0", "luma"))
        assert shown["timeline"][0]["answer"] == ANSWER
        command = shlex.split(shown["curl"])
        assert command[0] == "curl"
        assert "https://luma.example.com/hook" in command
        assert "webhook-signature: v1,<signature>" in command
        assert f"webhook-id: {delivery_id('evt_0', 'luma')}" in command
        sent = json.loads(command[command.index("--data-binary") + 1])
        assert sent["platform_id"] == "luma"
        assert sent["data"]["user_email"] == "user0@example.com"


def test_only_the_body_to_copy_names_the_user(operator7: Operator) -> None:
    """The table names nobody, and prints the command in one line, unfolded."""
    table = operator7.fanout("dlq", "show", delivery_id("evt_0", "luma")).stdout
    (named,) = [line for line in table.splitlines() if "user0@example.com" in line]
    assert named.startswith("curl ")
    listed = operator7.fanout("dlq", "list").stdout + operator7.fanout("dlq", "groups").stdout
    assert "@" not in listed


def test_a_removed_platform_leaves_nothing_to_copy(operator7: Operator) -> None:
    """Its URL is gone, the rest is still shown."""
    operator7.ask("platforms", "remove", "luma")
    shown = operator7.ask("dlq", "show", delivery_id("evt_0", "luma"))
    assert shown["curl"] is None
    assert shown["reason"] == "exhausted"


def test_a_shell_reads_the_copied_request_as_it_was_meant(any_operator: Operator) -> None:
    """Quotes and all: what reaches curl is the webhook's body, byte for byte."""
    one = event("evt_it's", "o'hara+$HOME@example.com", None)

    async def dead_letter(world: SqlWorld) -> None:
        await world.insert_platform("luma", url="https://luma.example.com/hook?a=1&b='2'")
        dead = planned(one, "luma", lease="mine")
        await world.worker.events.register([intent(one, dead)])
        await world.worker.ledger.commit([attempted(dead.id, "mine", EXHAUSTED)])
        await world.worker.ledger.commit([LetterConfirmed(dead.id, replays=0)])

    any_operator.arrange(dead_letter)
    curl = any_operator.folder / "curl"
    curl.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    curl.chmod(0o755)
    command = any_operator.ask("dlq", "show", delivery_id(one.id, "luma"))["curl"]
    path = {"PATH": f"{any_operator.folder}:/usr/bin:/bin"}
    ran = subprocess.run(["/bin/sh", "-c", command], env=path, capture_output=True, check=True)
    words = json.loads(ran.stdout)
    assert words[words.index("--data-binary") + 1].encode() == encode_webhook(one, "luma")
    assert words[words.index("--url") + 1] == "https://luma.example.com/hook?a=1&b='2'"
    assert "content-type: application/json" in words


def exported(operator: Operator, *options: str) -> list[Any]:
    result = operator.fanout("dlq", "export", *options)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_an_export_is_the_list_without_a_limit(operator7: Operator) -> None:
    """The same objects, one a line, in the order of the ids; filters and --limit narrow it."""
    listed = operator7.ask("dlq", "list")
    assert exported(operator7) == sorted(listed, key=lambda one: str(one["delivery_id"]))
    assert len(exported(operator7, "--platform", "luma", "--status", "5xx")) == 3
    assert len(exported(operator7, "--limit", "2")) == 2


def test_an_export_crosses_pages(operator7: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the page's size, each row comes once, and --limit holds."""
    listed = operator7.ask("dlq", "list")
    for size in (1, 2, 7, 8):
        monkeypatch.setattr("disconnect_fanout.adapters.store.deliveries.pages.PAGE", size)
        assert len(exported(operator7)) == len(listed)
        assert len(exported(operator7, "--limit", "3")) == 3


def test_an_exported_file_is_complete_or_not_there(operator7: Operator) -> None:
    """It replaces an older one at once; a folder that is not there is exit 2."""
    file = operator7.folder / "dead.jsonl"
    file.write_text("old")
    said = operator7.fanout("dlq", "export", "--to", str(file))
    assert said.stdout == ""
    assert "7 dead letters" in said.stderr
    assert len(file.read_text().splitlines()) == 7
    assert "nowhere" in operator7.refused("dlq", "export", "--to", "nowhere/dead.jsonl", code=2)
    operator7.refused("dlq", "export", "--to", str(file), "--platform", "none", code=5)
    assert len(file.read_text().splitlines()) == 7
    assert [one.name for one in operator7.folder.glob("dead*")] == ["dead.jsonl"]


def test_whoever_reads_an_export_may_stop(operator7: Operator) -> None:
    """A closed pipe is no failure and leaves no traceback."""
    process = subprocess.Popen(
        [FANOUT, "dlq", "export"],
        env=environment(operator7.settings),
        cwd=operator7.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == 0
    assert said == b""


def test_a_discarded_dead_letter_is_closed_with_its_reason(operator7: Operator) -> None:
    """It leaves the list, is no pending delivery, and tells why for ever."""
    name = delivery_id("evt_0", "calcom")
    result = operator7.fanout("dlq", "discard", name, *BECAUSE, "--yes", "-o", "json")
    assert result.json() == {"state": "done", "selected": 1, "discarded": 1}
    assert "1  calcom" in result.stderr
    assert len(operator7.ask("dlq", "list")) == 6
    shown = operator7.ask("deliveries", "show", name)
    assert (shown["state"], shown["because"]) == ("discarded", BECAUSE[1])
    assert shown["reason"] == "endpoint_disabled"
    assert shown["next_at"] is None
    assert datetime.now(UTC) - datetime.fromisoformat(shown["settled_at"]) < timedelta(minutes=1)
    (event_,) = [one for one in operator7.ask("events", "list") if one["event_id"] == "evt_0"]
    counted = [event_[one] for one in ("recipients", "pending", "delivered", "dead", "discarded")]
    assert counted == [3, 0, 0, 2, 1]
    said = operator7.refused("dlq", "show", name, code=5)
    assert "discarded" in said


def test_discard_takes_filters_all_and_a_limit(
    operator7: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts by platform are told first; a second time there is nothing to do."""
    monkeypatch.setattr("disconnect_fanout.adapters.store.dead_letters.discards.PAGE", 2)

    def discard(*options: str) -> Any:
        return operator7.ask("dlq", "discard", *options, *BECAUSE, "--yes")["discarded"]

    assert discard("--platform", "luma", "--status", "5xx") == 3
    assert discard("--user", "user3@example.com") == 1
    assert discard("--all", "--limit", "1") == 1
    result = operator7.fanout("dlq", "discard", "--all", *BECAUSE, "--yes", "-o", "json")
    assert result.json()["discarded"] == 2
    assert operator7.ask("dlq", "discard", "--all", *BECAUSE, "--yes")["state"] == "nothing_to_do"
    assert len(operator7.ask("deliveries", "list", "--state", "discarded")) == 7


def test_a_discard_asks_and_takes_no_for_an_answer(operator7: Operator) -> None:
    """At a terminal it shows the counts first; no, and everything stays."""
    said = answered(operator7, "n", "dlq", "discard", "--all", *BECAUSE)
    assert "5  luma" in said
    assert "Discard 7 for good?" in said
    assert "declined" in said
    assert len(operator7.ask("dlq", "list")) == 7
    assert operator7.ask("audit", "list") == []
    assert "done" in answered(operator7, "y", "dlq", "discard", "--all", *BECAUSE)
    assert operator7.ask("dlq", "list") == []


MISUSE = {
    "no reason": ("dlq", "discard", "--all", "--yes"),
    "an empty reason": ("dlq", "discard", "--all", "--yes", "--because", " "),
    "an endless reason": ("dlq", "discard", "--all", "--yes", "--because", "x" * 501),
    "nothing": ("dlq", "discard", "--yes", *BECAUSE),
    "some and all": ("dlq", "discard", "--all", "--platform", "luma", "--yes", *BECAUSE),
    "no terminal": ("dlq", "discard", "--all", *BECAUSE),
    "an export as a table": ("dlq", "export", "-o", "table"),
}


@pytest.mark.parametrize("args", MISUSE.values(), ids=MISUSE.keys())
def test_a_discard_must_be_meant(newcomer: Operator, args: tuple[str, ...]) -> None:
    """Exit 2, before a database is even looked for."""
    newcomer.refused(*args, code=2)


def test_an_unknown_id_discards_nothing(operator7: Operator) -> None:
    """Exit 5 names it, and the known ones beside it stay."""
    known = delivery_id("evt_0", "luma")
    said = operator7.refused("dlq", "discard", known, "wh_del_none", *BECAUSE, "--yes", code=5)
    assert "wh_del_none" in said
    assert len(operator7.ask("dlq", "list")) == 7


BAD_FILTERS = {
    ("--why", "tired"): ("exhausted", "unknown_platform"),
    ("--status", "6xx"): ("503", "5xx"),
    ("--since", "2025-11-21"): ("2025-11-21T15:45:00Z", "30m"),
    ("--until", "yesterday"): ("2025-11-21T15:45:00Z", "30m"),
    ("--user", "alice"): ("@",),
    ("--limit", "0"): ("1",),
}


@pytest.mark.parametrize("command", ["deliveries list", "dlq list", "dlq groups", "dlq export"])
@pytest.mark.parametrize(("option", "forms"), BAD_FILTERS.items(), ids=str)
def test_a_bad_filter_value_is_told_the_accepted_forms(
    newcomer: Operator, command: str, option: tuple[str, str], forms: tuple[str, ...]
) -> None:
    """Exit 2 wherever the filter is taken."""
    said = newcomer.refused(*command.split(), *option, code=2)
    for form in forms:
        assert form in said


@pytest.mark.parametrize("command", ["deliveries list", "dlq list", "dlq groups", "dlq stats"])
@pytest.mark.parametrize("option", ["--platform", "--event"])
def test_a_filter_that_names_nothing_is_exit_5(
    operator7: Operator, command: str, option: str
) -> None:
    """A typing error is no empty answer."""
    assert "x_none" in operator7.refused(*command.split(), option, "x_none", code=5)
