"""Files to import: read as they were meant, or refused whole, with every faulty line by number."""

import json
import os

import pytest
from tests.harness.worker.operator import Operator

HEADER = "email,platform_id,linked_at"
ROW = "good@x.example,plat_luma,2025-01-01T00:00:00Z"
JSON = '{"email":"good@x.example","platform_id":"plat_luma"}'
CANARY = "canary"
"""Begins each address that no problem may repeat."""


def refused(operator: Operator, name: str, text: str | bytes, noun: str = "links") -> str:
    (operator.folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    said = operator.refused(noun, "import", name, code=2)
    assert CANARY not in said
    assert "nothing was imported" in said
    return said


def nothing_was_imported(operator: Operator) -> bool:
    return bool(operator.ask("links", "list", "--email", "good@x.example") == [])


HEADERS = {
    "a column twice": ("email,email,platform_id", "line 1: the column 'email' is there more"),
    "in another case": ("email,Email,platform_id", "line 1: the column 'email' is there more"),
    "with blanks": ("email, email ,platform_id", "line 1: the column 'email' is there more"),
    "with a mark": ("email,\ufeffemail,platform_id", "line 1: the column 'email' is there more"),
    "quoted": ('email,"EMAIL",platform_id', "line 1: the column 'email' is there more"),
    "an optional one": ("email,platform_id,google_id,Google_ID", "line 1: the column 'google_id'"),
    "three times": ("platform_id,email,email,email", "line 1: the column 'email' is there more"),
    "an unknown one": (
        "email,platform_id,linkedat",
        "line 1: the column 3, 'linkedat', is unknown",
    ),
    "one without a name": ("email,platform_id,", "line 1: the column 3, '…', is unknown"),
    "a missing one": ("email,linked_at", "line 1: there is no column 'platform_id'"),
    "no header": ("canary@x.example,plat_luma", "line 1: the column 1, '…', is unknown"),
    "semicolons": ("email;platform_id", "line 1: its columns are separated by semicolons"),
    "tabs": ("email\tplatform_id\tgoogle_id", "line 1: its columns are separated by tabs"),
    "an empty line": ("", "line 2: there is no column 'email'"),
}


@pytest.mark.parametrize(("header", "words"), HEADERS.values(), ids=HEADERS.keys())
def test_a_header_that_says_two_things_or_none_is_refused(
    operator: Operator, header: str, words: str
) -> None:
    """By the column's name; of two columns of one name neither wins."""
    row = "canary@x.example," * (header.count(",") + 1)
    assert f"l.csv {words}" in refused(operator, "l.csv", f"{header}\n{row.rstrip(',')}\n")


def test_all_that_is_wrong_with_a_header_is_told_at_once(operator: Operator) -> None:
    """Doubled, unknown and missing columns, one line each."""
    said = refused(operator, "l.csv", "email,Email,canary@x.example,plat\n")
    expected = "expected email, google_id, provider, platform_id, linked_at, unlinked_at"
    assert [one.split(": ", 2)[2] for one in said.splitlines()[:-1]] == [
        "the column 'email' is there more than once",
        f"the column 3, '…', is unknown; {expected}",
        f"the column 4, 'plat', is unknown; {expected}",
        "there is no column 'platform_id'",
    ]


FILES: dict[str, bytes] = {
    "a byte-order mark": f"\ufeff{HEADER}\n{ROW}\n".encode(),
    "line ends of Windows": f"{HEADER}\r\n{ROW}\r\n".encode(),
    "line ends of old Macs": f"{HEADER}\r{ROW}\r".encode(),
    "no line end": f"{HEADER}\n{ROW}".encode(),
    "other letters": f"Email,PLATFORM_ID, linked_at \n{ROW}\n".encode(),
    "empty lines": f"{HEADER}\n\n{ROW}\n   \n\n".encode(),
    "quotes": f'{HEADER}\n"good@x.example","plat_luma",""\n'.encode(),
    "blanks around values": f"{HEADER}\ngood@x.example , plat_luma,\n".encode(),
    "an empty line first": f"\n{HEADER}\n{ROW}\n".encode(),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES.keys())
def test_what_other_programs_write_is_read(operator: Operator, content: bytes) -> None:
    """The one link that is in it."""
    (operator.folder / "l.csv").write_bytes(content)
    assert operator.ask("links", "import", "l.csv") == {"links": 1, "new": 1, "changed": 0}
    (link,) = operator.ask("links", "list", "--email", "good@x.example")
    assert link["platform_id"] == "plat_luma"


ROWS: dict[str, tuple[bytes, str]] = {
    "too short": (b"canary@x.example,plat_luma", "has 2 cells, and the header has 3"),
    "one cell": (b"canary@x.example", "has 1 cell, and the header has 3"),
    "too long": (b"canary@x.example,p,,", "has 4 cells, and the header has 3"),
    "no UTF-8": (b"canary@x.example,p\xff,", "is not UTF-8 text"),
    "no UTF-8 in the address": (b"canary\xe9@x.example,p,", "is not UTF-8 text"),
    "a NUL": (b"canary@x.example\0,p,", "email: expected"),
    "a NUL in the id": (b"canary@x.example,p\0x,", "platform_id: expected"),
    "a line end in a value": (b'"canary@x.example\nx",p,', "email: expected"),
    "a quote in a value": (b'"canary"@x.example,p,', "is no CSV"),
    "an open quote": (b'canary@x.example,"p,', "is no CSV"),
    "a giant": (b"canary@x.example,p," + b"x" * 200_000, "is no CSV"),
    "empty cells": (b",,", "email: is missing"),
    "a time without an offset": (
        b"canary@x.example,p,2025-01-01T00:00:00",
        "linked_at: expected a time with an offset",
    ),
    "a date": (b"canary@x.example,p,2025-01-01", "linked_at: expected a time with an offset"),
    "seconds": (b"canary@x.example,p,1735689600", "linked_at: expected a time with an offset"),
}


@pytest.mark.parametrize(("row", "words"), ROWS.values(), ids=ROWS.keys())
def test_a_faulty_row_is_told_by_its_first_line(operator: Operator, row: bytes, words: str) -> None:
    """Also behind an empty line and a value of two lines; the good rows are not imported."""
    quoted = ROW.replace("plat_luma", '"plat_luma"')
    text = f"{HEADER}\n{ROW}\n\n{quoted}\n".encode()
    said = refused(operator, "l.csv", text + row + b"\n")
    assert f"l.csv line 5: {words}" in said
    assert nothing_was_imported(operator)


LINES: dict[str, tuple[bytes, str]] = {
    "a key twice": (
        b'{"email":"canary@x.example","platform_id":"p","email":"canary2@x.example"}',
        "the key 'email' stands more than once",
    ),
    "an unknown key twice": (b'{"x":1,"x":1}', "the key 'x' stands more than once"),
    "an address as a key": (b'{"canary@x.example":"p"}', "unknown field '…'"),
    "a key in another case": (b'{"Email":"canary@x.example"}', "unknown field 'Email'"),
    "a number for a text": (b'{"email":5,"platform_id":"p"}', "email: must be a string"),
    "a list for a text": (b'{"email":["canary@x.example"]}', "email: must be a string"),
    "true for a text": (b'{"email":true,"platform_id":"p"}', "email: must be a string"),
    "an object for a time": (
        b'{"email":"canary@x.example","platform_id":"p","linked_at":{}}',
        "linked_at: must be a string",
    ),
    "an array": (b'["canary@x.example","p"]', "is not a JSON object"),
    "a text": (b'"canary@x.example"', "is not a JSON object"),
    "null": (b"null", "is not a JSON object"),
    "a comma too many": (b'{"email":"canary@x.example",}', "is not valid JSON"),
    "two on a line": (b'{"email":"canary@x.example"}{"email":"x"}', "is not valid JSON"),
    "a deep one": (b"[" * 100_000, "is not valid JSON"),
    "a giant number": (b'{"email":' + b"1" * 10_000 + b"}", "is not valid JSON"),
    "no UTF-8": (b'{"email":"canary\xff@x.example","platform_id":"p"}', "is not UTF-8 text"),
    "half a character": (
        rb'{"email":"canary@x.example","platform_id":"p\ud800"}',
        "is not UTF-8 text",
    ),
    "a NUL": (rb'{"email":"canary@x.example","platform_id":"p\u0000"}', "platform_id: expected"),
    "a leading mark": ("\ufeff".encode() + JSON.encode(), "is not valid JSON"),
}


@pytest.mark.parametrize(("line", "words"), LINES.values(), ids=LINES.keys())
def test_a_faulty_json_line_is_told_by_its_number(
    operator: Operator, line: bytes, words: str
) -> None:
    """Of a key that stands twice neither value counts; no value is repeated."""
    said = refused(operator, "l.jsonl", f"{JSON}\n\n".encode() + line + f"\n{JSON}\n".encode())
    assert f"l.jsonl line 3: {words}" in said
    assert nothing_was_imported(operator)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("name", ["l.csv", "l.jsonl"])
def test_utf_16_is_refused(operator: Operator, name: str, encoding: str) -> None:
    """By its name, if it has a mark; else no column and no line of it is one."""
    text = f"{HEADER}\n{ROW}\n" if name == "l.csv" else f"{JSON}\n"
    said = refused(operator, name, text.encode(encoding))
    assert ("is UTF-16; save it as UTF-8" in said) is (encoding == "utf-16")


def test_faulty_lines_are_told_at_once_up_to_twenty(operator: Operator) -> None:
    """Of different kinds, in their order, then how many more there are."""
    lines = ["x", "canary@x.example,p", '{"email":1}', "[]"] * 10
    said = refused(operator, "l.jsonl", "\n".join(lines)).splitlines()
    assert [one.split(": ")[1] for one in said[:20]] == [f"l.jsonl line {n}" for n in range(1, 21)]
    assert said[20:] == ["fanout: and 20 more lines", "fanout: nothing was imported"]


def test_a_header_of_a_thousand_unknown_columns_is_told_in_twenty_lines(
    operator: Operator,
) -> None:
    """As faulty lines are."""
    said = refused(operator, "l.csv", ",".join(f"c{nth}" for nth in range(1000)))
    assert len(said.splitlines()) == 21


def test_what_can_t_be_read_twice_is_refused(operator: Operator) -> None:
    """A pipe would be empty when it is to be written; a directory holds nothing."""
    os.mkfifo(operator.folder / "l.csv")
    assert "expected a file" in operator.refused("links", "import", "l.csv", code=2)
    (operator.folder / "l.jsonl").mkdir()
    assert "Is a directory" in operator.refused("links", "import", "l.jsonl", code=2)
    assert "No such file" in operator.refused("links", "import", "no.csv", code=2)
    assert "ends in .csv or .jsonl" in operator.refused("links", "import", "l", code=2)


CREDENTIAL = {"id": 1, "type": "google_calendar", "user_id": 7, "email": "canary@x.example"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": None}, "id: is missing"),
        ({"id": -1}, "id: expected a whole number"),
        ({"id": 1.0}, "id: expected a whole number"),
        ({"id": True}, "id: expected a whole number"),
        ({"id": "1e3"}, "id: expected a whole number"),
        ({"id": 2**63}, "id: expected a whole number"),
        ({"type": "fax"}, "type: expected one of"),
        ({"type": 5}, "type: must be a string"),
        ({"invalid": "perhaps"}, "invalid: expected true or false"),
        ({"app_id": "a b"}, "app_id: expected"),
        ({"email": "canary"}, "email: expected"),
        ({"mail": "canary@x.example"}, "unknown field 'mail'"),
    ],
)
def test_credentials_are_read_by_the_same_rules(
    operator: Operator, change: dict[str, object], words: str
) -> None:
    """One faulty line, and none is written."""
    text = f"{json.dumps(CREDENTIAL)}\n{json.dumps({**CREDENTIAL, **change})}\n"
    assert f"c.jsonl line 2: {words}" in refused(operator, "c.jsonl", text, "credentials")
    said = refused(operator, "c.csv", "id,type,user_id,email,ID\n", "credentials")
    assert "the column 'id' is there more than once" in said
    assert operator.ask("credentials", "list") == []
