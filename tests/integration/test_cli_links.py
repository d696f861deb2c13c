"""``fanout links``: noted, ended, listed, imported whole or not at all."""

import asyncio
import json
import re
import signal
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import exists, select
from tests.harness.worker.command import FANOUT, environment
from tests.harness.worker.operator import Operator

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import links

AT = "2025-01-01T00:00:00Z"
ALICE = ("--email", "alice@example.com")


@pytest.fixture
def linker(any_operator: Operator) -> Operator:
    """An operator with two platforms."""
    for one in ("plat_boardy", "plat_luma"):
        url = f"https://{one.replace('_', '-')}.example/"
        any_operator.ask("platforms", "add", one, "--name", one, "--url", url)
    return any_operator


def add(operator: Operator, *options: str, platform: str = "plat_luma") -> Any:
    return operator.ask("links", "add", "--platform", platform, *options)


def listed(operator: Operator, email: str = "alice@example.com") -> Any:
    return operator.ask("links", "list", "--email", email)


def imported(operator: Operator, name: str, text: str) -> Any:
    (operator.folder / name).write_text(text)
    return operator.ask("links", "import", name)


def refused(operator: Operator, name: str, text: str | bytes) -> str:
    path = operator.folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return operator.refused("links", "import", name, code=2)


async def there_are_links(operator: Operator) -> None:
    """Wait until somebody has written the first ones."""
    database = Database(operator.settings["FANOUT_DATABASE_URL"])
    try:
        while True:
            async with database.read() as connection:
                if (await connection.execute(select(exists(links.select())))).scalar_one():
                    return
            await asyncio.sleep(0)
    finally:
        await database.close()


def test_addresses_are_folded_and_the_fields_are_those_of_the_import(linker: Operator) -> None:
    """What was added as Alice@Example.com is found as alice@EXAMPLE.com."""
    added = add(linker, "--email", "Alice@Example.com", "--google-id", "1", "--at", AT)
    assert added == {
        "email": "alice@example.com",
        "google_id": "1",
        "provider": None,
        "platform_id": "plat_luma",
        "linked_at": AT,
        "unlinked_at": None,
    }
    assert listed(linker, "alice@EXAMPLE.com") == [added]


def test_a_time_with_another_offset_is_the_same_instant(linker: Operator) -> None:
    """Stored and shown in UTC."""
    assert add(linker, *ALICE, "--at", "2025-01-01T01:00:00+01:00")["linked_at"] == AT


def test_adding_an_open_link_again_changes_nothing(linker: Operator) -> None:
    """The first start stands; another provider is another link."""
    add(linker, *ALICE, "--at", AT)
    assert add(linker, *ALICE)["linked_at"] == AT
    add(linker, *ALICE, "--provider", "apple")
    assert [one["provider"] for one in listed(linker)] == ["apple", None]


def test_a_google_id_that_becomes_known_is_noted(linker: Operator) -> None:
    """The same open link, one fact richer; another id is another account."""
    add(linker, *ALICE, "--at", AT)
    assert add(linker, *ALICE, "--google-id", "1") == listed(linker)[0]
    add(linker, *ALICE, "--google-id", "2")
    assert sorted(one["google_id"] for one in listed(linker)) == ["1", "2"]


def test_a_link_that_ended_can_be_made_again_in_the_same_second(linker: Operator) -> None:
    """Add, end, add at one instant leaves one ended and one open link."""
    add(linker, *ALICE, "--at", AT)
    linker.ask("links", "end", *ALICE, "--platform", "plat_luma", "--at", AT)
    add(linker, *ALICE, "--at", AT)
    assert sorted(str(one["unlinked_at"]) for one in listed(linker)) == [AT, "None"]


def test_ending_ends_what_was_open_and_only_there(linker: Operator) -> None:
    """The link stays in the book with its end; another platform's is untouched."""
    for one in ("plat_luma", "plat_boardy"):
        add(linker, *ALICE, "--at", AT, platform=one)
    later = "2025-06-01T12:00:00Z"
    (ended,) = linker.ask("links", "end", *ALICE, "--platform", "plat_luma", "--at", later)
    assert (ended["platform_id"], ended["unlinked_at"]) == ("plat_luma", later)
    assert {one["platform_id"]: one["unlinked_at"] for one in listed(linker)} == {
        "plat_luma": later,
        "plat_boardy": None,
    }
    end = ("links", "end", *ALICE, "--platform", "plat_luma")
    assert "no open link" in linker.refused(*end, code=5)


def test_a_link_does_not_end_before_it_began(linker: Operator) -> None:
    """Exit 5 names the instant; the link stays open."""
    add(linker, *ALICE, "--at", AT)
    before = "2024-12-31T23:59:59Z"
    end = ("links", "end", *ALICE, "--platform", "plat_luma", "--at", before)
    assert before in linker.refused(*end, code=5)
    assert listed(linker)[0]["unlinked_at"] is None


def test_csv_and_json_lines_say_the_same(linker: Operator) -> None:
    """All but email and platform_id is optional; without linked_at a link holds since ever."""
    csv = (
        "email,google_id,provider,platform_id,linked_at,unlinked_at\n"
        f"Alice@Example.com,1,google,plat_luma,{AT},2025-02-01T00:00:00Z\n"
        '"bob@example.com",,,plat_boardy,,\n'
    )
    assert imported(linker, "links.csv", csv) == {"links": 2, "new": 2, "changed": 0}
    from_csv = [listed(linker), listed(linker, "bob@example.com")]
    assert from_csv[1][0]["linked_at"] is None
    lines = [
        {
            "email": "carol@example.com",
            "google_id": "1",
            "provider": "google",
            "platform_id": "plat_luma",
            "linked_at": AT,
            "unlinked_at": "2025-02-01T00:00:00Z",
        },
        {"email": "dave@example.com", "platform_id": "plat_boardy"},
    ]
    imported(linker, "links.jsonl", "\n".join(json.dumps(one) for one in lines) + "\n\n")
    from_json = [listed(linker, "carol@example.com"), listed(linker, "dave@example.com")]
    for one, other in zip(from_csv, from_json, strict=True):
        assert {**one[0], "email": ""} == {**other[0], "email": ""}


def test_importing_a_file_again_changes_nothing(linker: Operator) -> None:
    """Also over a page's end, and not even where a link has ended since."""
    start = datetime.fromisoformat(AT)
    lines = [f"u{n}@x.example,plat_luma,{(start + timedelta(n)).isoformat()}" for n in range(1100)]
    text = "email,platform_id,linked_at\n" + "\n".join([*lines, *lines[:3]])
    imported(linker, "links.csv", text)
    linker.ask("links", "end", "--email", "u1@x.example", "--platform", "plat_luma")
    imported(linker, "links.csv", text)
    assert linker.ask("platforms", "show", "plat_luma")["links"] == 1099
    assert len(listed(linker, "u1@x.example")) == 1
    assert listed(linker, "u1@x.example")[0]["unlinked_at"] is not None


def test_a_later_file_ends_a_link(linker: Operator) -> None:
    """The same link, now with an end, is ended and not doubled."""
    header = "email,platform_id,linked_at,unlinked_at\n"
    imported(linker, "a.csv", f"{header}alice@example.com,plat_luma,{AT},\n")
    end = "2025-06-01T12:00:00Z"
    imported(linker, "b.csv", f"{header}alice@example.com,plat_luma,{AT},{end}\n")
    (link,) = listed(linker)
    assert link["unlinked_at"] == end


def test_links_may_come_before_their_platform(operator: Operator) -> None:
    """A directory is imported as it is; what is not registered yet is named on stderr."""
    (operator.folder / "links.jsonl").write_text('{"email":"a@x.example","platform_id":"later"}')
    result = operator.fanout("links", "import", "links.jsonl", "-o", "json")
    assert result.json() == {"links": 1, "new": 1, "changed": 0}
    assert "no platform later is registered yet" in result.stderr


GOOD = '{"email":"good@x.example","platform_id":"plat_luma"}'
BAD_LINES = {
    "no JSON": ("{", "is not valid JSON"),
    "no object": ("[1]", "is not a JSON object"),
    "no email": ('{"platform_id":"plat_luma"}', "email: is missing"),
    "an address without @": ('{"email":"canary","platform_id":"plat_luma"}', "email: expected"),
    "a number": (
        '{"email":"canary@x.example","platform_id":"p","google_id":105942374304}',
        "google_id: must be a string",
    ),
    "an unknown provider": (
        '{"email":"canary@x.example","platform_id":"p","provider":"yahoo"}',
        "provider: expected google, office365, apple",
    ),
    "a time without an offset": (
        '{"email":"canary@x.example","platform_id":"p","linked_at":"2025-01-01T00:00:00"}',
        "linked_at: expected a time with an offset",
    ),
    "an end before the start": (
        json.dumps(
            {
                "email": "canary@x.example",
                "platform_id": "p",
                "linked_at": "2025-01-02T00:00:00Z",
                "unlinked_at": "2025-01-01T00:00:00Z",
            }
        ),
        "unlinked_at: is earlier than linked_at",
    ),
    "a misspelt field": (
        '{"email":"canary@x.example","platform_id":"p","linkedat":""}',
        "unknown field 'linkedat'",
    ),
}


@pytest.mark.parametrize(("line", "words"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_one_bad_line_and_nothing_is_imported(operator: Operator, line: str, words: str) -> None:
    """Its number and its fault are told, no address is; the good lines before it are not there."""
    said = refused(operator, "links.jsonl", f"{GOOD}\n\n{line}\n{GOOD}\n")
    assert f"links.jsonl line 3: {words}" in said
    assert "nothing was imported" in said
    assert "canary" not in said
    assert listed(operator, "good@x.example") == []


def test_every_bad_line_of_a_csv_is_told(operator: Operator) -> None:
    """With the numbers that an editor shows, and no more than twenty of them in words."""
    said = refused(operator, "l.csv", "email,platform_id\na@x.example,p\nb,p\nc@x.example,\n")
    assert "l.csv line 3: email" in said
    assert "l.csv line 4: platform_id: is missing" in said
    many = refused(operator, "l.csv", "email,platform_id\n" + "a,p\n" * 50)
    assert "and 30 more lines" in many


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("links.txt", GOOD),
        ("l.csv", ""),
        ("l.csv", "mail,platform\na@x.example,p\n"),
        ("l.csv", "email,platform_id\na@x.example,p,surplus\n"),
        ("l.csv", b"email,platform_id\n\xff@x.example,p\n"),
        ("l.csv", 'email,platform_id\n"a@x.example,p\n'),
    ],
)
def test_a_file_of_another_kind_is_refused(operator: Operator, name: str, text: str) -> None:
    """Exit 2 names the file."""
    assert name in refused(operator, name, text)


def test_a_file_that_is_not_there_is_refused(operator: Operator) -> None:
    """Exit 2, not a traceback."""
    assert "No such file" in operator.refused("links", "import", "nothing.csv", code=2)


async def test_an_interrupted_import_says_how_far_it_came(operator: Operator) -> None:
    """Exit 130, the number of links that are in by then, and what to do about the others."""
    many = 30_000
    lines = (f'{{"email": "u{nth}@example.com", "platform_id": "p"}}\n' for nth in range(many))
    (operator.folder / "many.jsonl").write_text("".join(lines))
    process = await asyncio.create_subprocess_exec(
        *(FANOUT, "links", "import", "many.jsonl"),
        env=environment(operator.settings),
        cwd=operator.folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    await there_are_links(operator)
    process.send_signal(signal.SIGINT)
    _, said = await process.communicate()
    assert process.returncode == 130
    found = re.search(rb"interrupted after (\d+) links; import the file again", said)
    assert found is not None, said
    assert 0 < int(found[1]) < many
