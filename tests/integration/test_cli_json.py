"""The JSON of every command, run on a small past: what programs parse, they can."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.harness.servers import amqp
from tests.harness.servers.vhost import Vhost
from tests.harness.store.examples import EXHAUSTED, attempted, event, intent, planned
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.command_tree import commands
from tests.harness.worker.operator import Operator

from disconnect_fanout.domain.identity import delivery_id
from disconnect_fanout.policy.change import LetterConfirmed
from disconnect_fanout.policy.decide import Delivered

TOLD, DEAD = delivery_id("evt_alice", "boardy"), delivery_id("evt_alice", "luma")
DATE = re.compile(r"\d{4}-\d\d-\d\d.\d\d:\d\d.*")
RFC_3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
MAY_BE_EMPTY = {"answer", "arguments"}  # a body of no bytes, a command without any
ALICE = ("--email", "alice@example.com")
AT = ("--at", "2020-01-01T00:00:00Z")

OTHERWISE = {
    ("api",): "serves; tests/acceptance/test_api_*.py",
    ("demo",): "tells a story; tests/acceptance/test_demo.py",
    ("listen",): "prints what is received; test_cli_listen.py",
    ("run",): "serves; all of tests/acceptance",
}

LISTS: list[tuple[str, ...]] = [
    ("check",),
    ("platforms", "list"),
    ("links", "list", *ALICE),
    ("keys", "list"),
    ("credentials", "list"),
    ("events", "list"),
    ("deliveries", "list"),
    ("dlq", "list"),
    ("dlq", "groups"),
    ("explain", "evt_alice"),
    ("explain", "--user", "alice@example.com"),
    ("replays", "list"),
    ("rejected", "list"),
    ("audit", "list"),
    ("secret-key", "status"),
    ("secret-key", "reseal"),
    ("links", "end", "--email", "{form}@x.example", "--platform", "boardy"),
]
"""Each of them finds something."""

THINGS: list[tuple[str, ...]] = [
    ("migrate",),
    ("publish", *ALICE),
    ("platforms", "add", "{form}", "--name", "N", "--url", "https://n.example/"),
    ("platforms", "show", "{form}"),
    ("platforms", "update", "{form}", "--name", "M"),
    ("platforms", "rotate-secret", "{form}"),
    ("platforms", "pause", "{form}"),
    ("platforms", "resume", "{form}"),
    ("platforms", "disable", "{form}"),
    ("platforms", "enable", "{form}"),
    ("platforms", "remove", "{form}"),
    ("links", "add", *ALICE, "--platform", "boardy"),
    ("links", "import", "links.jsonl"),
    ("keys", "create", "--platform", "boardy"),
    ("keys", "revoke", "{key}"),
    ("credentials", "add", "--id", "1", "--type", "google_calendar", "--user-id", "7", *ALICE),
    ("credentials", "import", "credentials.csv"),
    ("events", "show", "evt_alice"),
    ("events", "resolve", "evt_alice"),
    ("deliveries", "show", TOLD),
    ("deliveries", "balance"),
    ("deliveries", "replay", "{told}", "--yes", "--detach"),
    ("dlq", "show", DEAD),
    ("dlq", "stats"),
    ("dlq", "replay", "--all", "--dry-run"),
    ("replays", "pause", "{job}"),
    ("replays", "show", "{job}"),
    ("replays", "resume", "{job}"),
    ("replays", "cancel", "{job}"),
    ("rejected", "show", "{rejected}"),
    ("rejected", "replay", "{rejected}", "--yes"),
    ("schema", "webhook"),
]
LAST_THINGS: list[tuple[str, ...]] = [
    ("rejected", "discard", "{rejected}", "--yes"),
    ("dlq", "discard", "--user", "{form}@x.example", "--because", "closed", "--yes"),
    ("privacy", "forget", "--email", "{form}@x.example", "--yes"),
    ("init",),
]
ELSEWHERE = {("platforms", "test"), ("dlq", "export")}


async def past(world: SqlWorld) -> None:
    """Alice: told by boardy, dead at luma. One dead letter of a user for each form of output."""
    worker = world.worker
    for platform in ("boardy", "luma"):
        await world.add_platform(platform)
    events = [event("evt_alice", "alice@example.com")]
    events += [event(f"evt_{form}", f"{form}@x.example", None) for form in ("json", "jsonl")]
    for one in events:
        told, dead = (planned(one, name, lease="mine") for name in ("boardy", "luma"))
        await worker.events.register([intent(one, told, dead)])
        changes = [
            attempted(told.id, "mine", Delivered(), platform_id="boardy"),
            attempted(dead.id, "mine", EXHAUSTED, answer="out of order"),
        ]
        await worker.ledger.commit(changes)
        await worker.ledger.commit([LetterConfirmed(dead.id, replays=0)])


@pytest.fixture
def operator(operator: Operator, vhost: Vhost) -> Operator:
    """An operator with a past, a broker with letters and rejects, and files to import."""
    operator.settings |= vhost.settings
    operator.ask("migrate")
    operator.arrange(past)
    bodies = [f'{{"nth": {nth}}}'.encode() for nth in range(8)]
    asyncio.run(amqp.publish(vhost.url, "", vhost.queue("rejected"), *bodies))
    asyncio.run(amqp.publish(vhost.url, "", vhost.queue("dead"), b"{}", b"{}", b"{}"))
    (operator.folder / "links.jsonl").write_text('{"email":"a@x.example","platform_id":"luma"}')
    text = "id,type,user_id,email\n2,google_calendar,7,a@x.example\n"
    (operator.folder / "credentials.csv").write_text(text)
    for form in ("json", "jsonl"):
        operator.ask("links", "add", "--email", f"{form}@x.example", "--platform", "boardy", *AT)
    operator.ask("credentials", "import", "credentials.csv")
    return operator


def names(operator: Operator, form: str) -> dict[str, str]:
    """What a command is to be given that others have made."""
    jobs, rejected = operator.ask("replays", "list"), operator.ask("rejected", "list")
    keys = [one["id"] for one in operator.ask("keys", "list") if not one["revoked_at"]]
    return {
        "form": form,
        "key": next(iter(keys), ""),
        "told": delivery_id(f"evt_{form}", "boardy"),
        "job": jobs[-1 if form == "json" else 0]["job"] if jobs else "",
        "rejected": rejected[0]["id"],
    }


def printed(operator: Operator, args: tuple[str, ...], form: str) -> str:
    known = names(operator, form)
    result = operator.fanout(*(one.format(**known) for one in args), "-o", form)
    assert result.exit_code == 0, (args, result)
    return result.stdout


def leaves(found: Any) -> Iterator[object]:
    match found:
        case dict():
            for name, value in found.items():
                yield from () if name in MAY_BE_EMPTY else leaves(value)
        case list():
            for value in found:
                yield from leaves(value)
        case _:
            yield found


def well_formed(found: Any) -> bool:
    """Times are RFC 3339 in UTC, and what is absent is null: no empty text, no dash."""
    texts = [one for one in leaves(found) if isinstance(one, str)]
    times = [one for one in texts if DATE.fullmatch(one)]
    return all(RFC_3339_UTC.fullmatch(one) for one in times) and not {"", "-"} & set(texts)


def test_every_command_is_asked_here() -> None:
    """Or is named with the place where it is."""
    asked = {(*one[:2],) if len(one) > 1 else one for one in (*LISTS, *THINGS, *LAST_THINGS)}
    alone = {one.words for one in commands() if len(one.words) == 1}
    asked = {one[:1] if one[:1] in alone else one for one in asked}
    assert asked | ELSEWHERE | OTHERWISE.keys() == {one.words for one in commands()}


def test_a_thing_is_one_object_and_a_list_is_an_array(operator: Operator) -> None:
    """`json`: one document; `jsonl`: one line for a thing, one for each row of a list."""
    for args in (*THINGS, *LISTS, *LAST_THINGS):
        found = json.loads(printed(operator, args, "json"))
        (operator.folder / ".env").unlink(missing_ok=True)
        lines = [json.loads(one) for one in printed(operator, args, "jsonl").splitlines()]
        assert isinstance(found, list if args in LISTS else dict), args
        assert found, args
        assert len(lines) == (len(found) if args in LISTS else 1) or args[0] == "audit", args
        assert all(isinstance(one, dict) for one in lines), args
        assert well_formed(found), f"{args} {found}"
        assert well_formed(lines), f"{args} {lines}"


def test_what_a_secret_is_printed_with_is_its_id(operator: Operator) -> None:
    """`add` and `rotate-secret` print it this once, or the public key; a key of the API its own."""
    luma = ("--name", "N", "--url", "https://n.example/")
    assert list(operator.ask("platforms", "add", "p", *luma)) == ["id", "secret"]
    assert list(operator.ask("platforms", "rotate-secret", "p")) == ["id", "secret"]
    ed25519 = ("--scheme", "standard-ed25519")
    assert list(operator.ask("platforms", "add", "q", *luma, *ed25519)) == ["id", "public_key"]
    assert list(operator.ask("platforms", "rotate-secret", "q")) == ["id", "public_key"]
    assert list(operator.ask("keys", "create", "--platform", "p")) == ["id", "key"]


def test_a_ping_that_fails_is_still_an_object(operator: Operator) -> None:
    """Exit 1, and the result to read; the time that it took is a whole number."""
    operator.ask("platforms", "add", "p", "--name", "P", "--url", "https://127.0.0.1/")
    result = operator.fanout("platforms", "test", "p", "-o", "json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["result"], found["status"]) == (1, "blocked", None)
    assert isinstance(found["duration_ms"], int)


def test_an_export_is_an_object_a_line_with_the_fields_of_the_list(operator: Operator) -> None:
    """Whether or not its only form is named."""
    lines = operator.fanout("dlq", "export", "-o", "jsonl").stdout.splitlines()
    assert operator.fanout("dlq", "export").stdout.splitlines() == lines
    exported = [json.loads(one) for one in lines]
    listed = operator.ask("dlq", "list")
    by_id = sorted(listed, key=lambda one: str(one["delivery_id"]))
    assert exported == by_id
    assert well_formed(exported)


CUT = [("events", "list"), ("audit", "list"), ("rejected", "list"), ("deliveries", "list")]


@pytest.mark.parametrize("args", CUT, ids=" ".join)
def test_a_list_that_was_cut_says_so(operator: Operator, args: tuple[str, ...]) -> None:
    """To the person, not in the data."""
    result = operator.fanout(*args, "--limit", "1", "-o", "json")
    assert len(result.json()) == 1
    assert "there are more than these 1; --limit shows more of them" in result.stderr
