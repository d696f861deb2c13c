"""``fanout audit``: who ran which changing command, when, with which arguments and counts."""

import asyncio
import json
import os
import pwd
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.harness.servers import amqp
from tests.harness.servers.vhost import Vhost
from tests.harness.store.examples import EXHAUSTED, attempted, event, intent, planned
from tests.harness.store.failing_database import Cut, FailingDatabase
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.command_tree import commands
from tests.harness.worker.operator import Operator

from disconnect_fanout.adapters.store.audit_trail import audit
from disconnect_fanout.cli.runtime.audited import audited
from disconnect_fanout.cli.runtime.invocation import harmless, remember
from disconnect_fanout.cli.runtime.session import Session, execute, opened
from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.policy.change import LetterConfirmed

ENTRY = ["at", "who", "command", "arguments", "outcome", "counts"]
ALICE = "Alice@example.com"
GOOGLE_ID = "105942374304"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - what must not be kept
LUMA = ("--name", "Luma", "--url", "https://luma.example/hook/T0KEN?key=T0KEN")


def entries(operator: Operator, *options: str) -> Any:
    return operator.ask("audit", "list", *options)


def last(operator: Operator) -> tuple[str, str, str | None, dict[str, int]]:
    one = entries(operator)[0]
    return one["command"], one["arguments"], one["outcome"], one["counts"]


def test_an_entry_tells_who_did_what_and_when(any_operator: Operator) -> None:
    """The fields, in their order; the user as the operating system knows them."""
    any_operator.fanout("platforms", "add", "luma", *LUMA)
    (entry,) = entries(any_operator)
    assert list(entry) == ENTRY
    name = pwd.getpwuid(os.getuid()).pw_name
    assert entry["who"] == f"{name}@{socket.gethostname()}"
    assert datetime.now(UTC) - datetime.fromisoformat(entry["at"]) < timedelta(minutes=1)
    assert entry["command"] == "platforms add"
    assert entry["arguments"] == "luma --name Luma --url https://luma.example/…"
    assert (entry["outcome"], entry["counts"]) == ("done", {})


def test_platform_and_link_commands_are_audited(any_operator: Operator) -> None:
    """Each with what it counted; the newest first."""
    file = any_operator.folder / "links.jsonl"
    file.write_text(json.dumps({"email": ALICE, "platform_id": "luma"}) + "\n")
    user = ("--email", ALICE, "--platform", "luma")
    commands: dict[tuple[str, ...], dict[str, int]] = {
        ("platforms", "add", "luma", *LUMA): {},
        ("platforms", "update", "luma", "--name", "L"): {},
        ("platforms", "disable", "luma"): {},
        ("platforms", "enable", "luma"): {},
        ("platforms", "pause", "luma"): {},
        ("platforms", "resume", "luma"): {},
        ("platforms", "rotate-secret", "luma", "--now"): {},
        ("links", "add", *user): {"links": 1},
        ("links", "end", *user): {"links": 1},
        ("links", "import", str(file)): {"links": 1},
        ("platforms", "remove", "luma"): {"pending": 0},
    }
    for args, counts in commands.items():
        any_operator.ask(*args)
        command, _, outcome, counted = last(any_operator)
        assert (command, outcome, counted) == (" ".join(args[:2]), "done", counts)
    assert len(entries(any_operator)) == len(commands)


async def dead_letters(world: SqlWorld) -> None:
    """Two at luma; the second event has a recipient that it has not heard of."""
    await world.add_platform("luma")
    for nth in range(2):
        one = event(f"evt_{nth}", ALICE, GOOGLE_ID)
        dead = planned(one, "luma", lease="mine")
        await world.worker.events.register([intent(one, dead)])
        await world.worker.ledger.commit([attempted(dead.id, "mine", EXHAUSTED)])
        await world.worker.ledger.commit([LetterConfirmed(dead.id, replays=0)])


def test_what_is_done_to_deliveries_is_audited_with_filter_and_counts(
    any_operator: Operator,
) -> None:
    """Events resolved, dead letters replayed and discarded, jobs switched."""
    any_operator.arrange(dead_letters)
    any_operator.ask("events", "resolve", "evt_0")
    assert last(any_operator) == (
        "events resolve",
        "evt_0 -o json",
        "done",
        {"added": 0, "reconnected": 0},
    )
    one = delivery_id("evt_0", "luma")
    job = any_operator.ask("dlq", "replay", one, "--yes", "--detach")["job"]
    command, arguments, outcome, counts = last(any_operator)
    assert (command, outcome, counts["selected"]) == ("dlq replay", "done", 1)
    assert arguments.startswith(one)
    for verb in ("pause", "resume", "cancel"):
        any_operator.ask("replays", verb, job)
        assert last(any_operator)[:3] == (f"replays {verb}", f"{job} -o json", "done")
    because = ("--because", "asked by bob@example.com, ticket 4711", "--yes")
    any_operator.ask("dlq", "discard", "--user", ALICE, *because)
    command, arguments, outcome, counts = last(any_operator)
    assert (command, outcome) == ("dlq discard", "done")
    assert arguments == "--user … --because 'asked by … ticket 4711' --yes -o json"
    assert counts == {"selected": 2, "discarded": 2}


def test_rejected_events_are_audited_too(operator: Operator, vhost: Vhost) -> None:
    """Though they are in the broker alone."""
    operator.settings |= vhost.settings
    operator.ask("migrate")
    queue = vhost.queue("rejected")
    asyncio.run(amqp.publish(vhost.url, "", queue, b"1", b"2"))
    ids = [one["id"] for one in operator.ask("rejected", "list")]
    operator.ask("rejected", "replay", ids[0], "--yes")
    assert last(operator) == ("rejected replay", f"{ids[0]} --yes -o json", "done", {"replayed": 1})
    operator.ask("rejected", "discard", ids[1], "--yes")
    command, _, _, counts = last(operator)
    assert (command, counts) == ("rejected discard", {"discarded": 1})


def test_looking_and_mistyping_are_not_audited(any_operator: Operator) -> None:
    """Nor is a dry run or a question that was answered with no: nothing was going to change."""
    any_operator.arrange(dead_letters)
    for args in ("platforms list", "dlq list", "dlq groups", "explain evt_0", "audit list"):
        any_operator.ask(*args.split())
    any_operator.refused("platforms", "add", "luma", code=2)
    any_operator.refused("dlq", "discard", "--all", "--because", "x", code=2)
    any_operator.ask("dlq", "replay", "--all", "--dry-run")
    assert entries(any_operator) == []


def test_what_failed_is_audited_as_failed(any_operator: Operator) -> None:
    """It was tried, and by whom."""
    any_operator.refused("platforms", "pause", "none", code=5)
    assert last(any_operator) == ("platforms pause", "none", "failed", {})


def test_an_entry_names_no_user_and_no_secret(any_operator: Operator) -> None:
    """Not in the list, and not in the table behind it."""
    file = any_operator.folder / "luma.secret"
    file.write_text(SECRET)
    any_operator.ask("platforms", "add", "luma", *LUMA, "--secret-file", str(file))
    user = (f"--email={ALICE}", "--google-id", GOOGLE_ID, "--platform", "luma")
    any_operator.ask("links", "add", *user)
    any_operator.ask("links", "end", *user)
    rows: list[Any] = []

    async def look(world: SqlWorld) -> None:
        async with world.database.read() as connection:
            rows.extend(await connection.execute(select(audit)))

    any_operator.arrange(look)
    assert len(rows) == 3
    for canary in (ALICE, ALICE.lower(), GOOGLE_ID, SECRET, "T0KEN"):
        assert canary not in repr(rows)


ARGUMENTS = {
    ("--user", "a@b.example", "--yes"): "--user … --yes",
    ("--user=a@b.example",): "--user=…",
    ("--email", "no address"): "--email …",
    ("--google-id", "17"): "--google-id …",
    ("--because", "for a@b.example: 7"): "--because 'for … 7'",
    ("--url", "https://h.example/a?b#c"): "--url https://h.example/…",
    ("--url", "https://h.example"): "--url https://h.example",
    ("--url=https://h.example/a",): "--url=https://h.example/…",
    ("wh_del_1", "--since", "2h"): "wh_del_1 --since 2h",
    ("--user",): "--user",
}


@pytest.mark.parametrize(("args", "kept"), ARGUMENTS.items(), ids=str)
def test_arguments_are_kept_without_what_nobody_else_may_know(
    args: tuple[str, ...], kept: str
) -> None:
    """Addresses and account ids wherever they are, and what follows a URL's host."""
    assert harmless(args) == kept


def test_the_list_is_filtered_by_time_and_cut(any_operator: Operator) -> None:
    """--since, --until and --limit; the table says each entry in a line."""
    for name in ("a", "b", "c"):
        any_operator.ask("platforms", "add", name, *LUMA)
    assert len(entries(any_operator, "--since", "1h")) == 3
    assert entries(any_operator, "--until", "1h") == []
    (newest,) = entries(any_operator, "--limit", "1")
    assert newest["arguments"].startswith("c ")
    assert "platforms add" in any_operator.fanout("audit", "list").stdout


@pytest.fixture
def inside(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """An operator whose settings are this process's, so that a command can be written here."""
    for name, value in operator.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(operator.folder)
    remember(["dlq", "discard", "--all"])
    return operator


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (KeyboardInterrupt, "interrupted"),
        (asyncio.CancelledError, "interrupted"),
        (OSError, "failed"),
    ],
)
def test_what_was_counted_until_it_broke_off_is_kept(
    inside: Operator, error: type[BaseException], outcome: str
) -> None:
    """Ctrl-C halfway through a long discard leaves what it had done."""

    async def work() -> None:
        async with opened() as session, audited(session) as counts:
            counts["discarded"] = 500
            raise error

    with pytest.raises(error):
        execute(work())
    assert last(inside) == ("dlq discard", "--all", outcome, {"discarded": 500})


@pytest.mark.usefixtures("inside")
def test_what_was_killed_has_no_outcome() -> None:
    """Its entry was on disk before it began."""
    seen: list[Any] = []

    async def work() -> None:
        async with opened() as session, audited(session), session.database.read() as connection:
            seen.extend(await connection.execute(select(audit.c.command, audit.c.outcome)))

    execute(work())
    assert [tuple(row) for row in seen] == [("dlq discard", None)]


@asynccontextmanager
async def failing(operator: Operator, *cuts: Cut) -> AsyncIterator[tuple[Session, FailingDatabase]]:
    """A session whose database goes away when it is told to."""
    database = FailingDatabase(operator.settings["FANOUT_DATABASE_URL"], *cuts)
    async with opened() as session:
        try:
            yield Session(session.settings, database, session.vault), database
        finally:
            await database.close()


def test_a_change_is_not_called_failed_because_its_entry_has_no_end(
    inside: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    """The database goes away after the change: a warning, and the command goes on."""

    async def work() -> None:
        async with failing(inside) as (session, database), audited(session) as counts:
            counts["discarded"] = 1
            database.cuts.append(Cut.BEFORE)

    execute(work())
    assert "audit" in capsys.readouterr().err
    assert last(inside)[2:] == (None, {})


def test_what_cannot_be_audited_is_not_done(inside: Operator) -> None:
    """The entry comes first; without it nothing is changed anywhere."""
    done: list[str] = []

    async def work() -> None:
        async with failing(inside, Cut.BEFORE) as (session, _), audited(session):
            done.append("something")

    with pytest.raises(StoreUnreachable):
        execute(work())
    assert done == []


def test_a_command_that_found_nothing_to_end_has_failed(operator: Operator) -> None:
    """Its exit code says so, and so does its entry."""
    operator.refused("links", "end", "--email", "a@example.com", "--platform", "luma", code=5)
    (entry,) = operator.ask("audit", "list")
    assert (entry["command"], entry["outcome"], entry["counts"]) == (
        "links end", "failed", {"links": 0},
    )  # fmt: skip


READING = {
    "api", "audit list", "check", "credentials list", "deliveries balance", "deliveries list",
    "deliveries show", "demo", "dlq export", "dlq groups", "dlq list", "dlq show", "dlq stats",
    "events list", "events show", "explain", "init", "keys list", "links list", "listen",
    "platforms list", "platforms show", "platforms test", "publish", "rejected list",
    "rejected show", "replays list", "replays show", "run", "schema",
    "secret-key status",
}  # fmt: skip
CHANGING = {
    "credentials add", "credentials import", "deliveries replay", "dlq discard", "dlq replay",
    "events resolve", "keys create", "keys revoke", "links add", "links end", "links import",
    "platforms add", "platforms disable", "platforms enable", "platforms pause",
    "platforms remove", "platforms resume", "platforms rotate-secret", "platforms update",
    "privacy forget", "rejected discard", "rejected replay", "replays cancel", "replays pause",
    "replays resume", "secret-key reseal",
}  # fmt: skip
BEFORE_THE_AUDIT = {"migrate"}  # it makes the table


def test_every_command_either_looks_or_is_audited() -> None:
    """A new command is put into one of the lists here, and so somebody has thought about it."""
    known = {" ".join(command.words) for command in commands()}
    assert known == READING | CHANGING | BEFORE_THE_AUDIT
