"""A Google id is digits, wherever a command takes one."""

import json
from typing import Any

import pytest
from sqlalchemy import insert
from tests.harness.store.row_rules import lift_rules
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.operator import Operator

from disconnect_fanout.adapters.store.links.odd_google_ids import odd_google_ids
from disconnect_fanout.adapters.store.links.plaintext import PlaintextLinks
from disconnect_fanout.adapters.store.schema.tables import links

ODD = [
    "1.05942E+11", "105942374304.0", "'105942374306", "12 34", "+105", "-105", "1_0", "  ",
    "\uff11\uff10\uff15", "0x1f", "105,942", "canary", "9" * 129,
]  # fmt: skip
NUMBERS: list[Any] = [105942374304, 1.05942e11, True, 0, False, [], ["1"], {"id": "1"}]


def refused(operator: Operator, kind: str, name: str, text: str) -> str:
    (operator.folder / name).write_text(text, encoding="utf-8")
    return operator.refused(kind, "import", name, code=2)


@pytest.mark.parametrize("odd", ODD)
def test_a_csv_with_an_odd_google_id_is_refused_with_its_line(operator: Operator, odd: str) -> None:
    """Links and credentials alike; the value is not repeated, and nothing is imported."""
    link = f'email,platform_id,google_id\na@x.example,p,1\na@x.example,p,"{odd}"\n'
    said = refused(operator, "links", "l.csv", link)
    assert "l.csv line 3: google_id: expected digits" in said
    row = f'id,type,user_id,email,google_id\n1,google_calendar,1,a@x.example,"{odd}"\n'
    credential = refused(operator, "credentials", "c.csv", row)
    assert "c.csv line 2: google_id: expected digits" in credential
    assert odd.strip() == "" or odd not in said + credential
    assert operator.ask("links", "list", "--email", "a@x.example") == []


@pytest.mark.parametrize("odd", [*ODD, *NUMBERS])
def test_json_lines_with_an_odd_google_id_are_refused(operator: Operator, odd: Any) -> None:
    """A number too, and a zero: whoever wrote it as one may have rounded it."""
    link = {"email": "a@x.example", "platform_id": "p", "google_id": odd}
    assert "line 1: google_id: " in refused(operator, "links", "l.jsonl", json.dumps(link))
    credential = {
        "id": 1,
        "type": "google_calendar",
        "user_id": 1,
        "email": "a@x.example",
        "google_id": odd,
    }
    said = refused(operator, "credentials", "c.jsonl", json.dumps(credential))
    assert "line 1: google_id: " in said


@pytest.mark.parametrize("odd", ODD)
def test_an_option_with_an_odd_google_id_is_refused(operator: Operator, odd: str) -> None:
    """Exit 2, before anything is stored or published."""
    email = ("--email", "a@x.example", "--google-id", odd)
    for command in (
        ("links", "add", *email, "--platform", "p"),
        ("links", "end", *email, "--platform", "p"),
        ("credentials", "add", *email, "--id", "1", "--type", "google_calendar", "--user-id", "1"),
        ("publish", *email),
    ):
        assert "expected digits" in operator.refused(*command, code=2).replace("\n", " ")


@pytest.mark.parametrize("good", ["105942374304", " 105942374304 ", "0105", ""])
def test_digits_are_taken_and_an_empty_cell_is_none(operator: Operator, good: str) -> None:
    """Blanks around a cell are none of its value, as in every other column."""
    (operator.folder / "l.csv").write_text(f"email,platform_id,google_id\na@x.example,p,{good}\n")
    operator.ask("links", "import", "l.csv")
    (link,) = operator.ask("links", "list", "--email", "a@x.example")
    assert link["google_id"] == (good.strip() or None)


def test_what_is_stored_already_is_said_by_check(any_operator: Operator) -> None:
    """Written by the owner's SQL, it is counted before and after it was sealed."""
    counts: list[int] = []

    async def write(world: SqlWorld) -> None:
        await lift_rules(world)
        row = {"email": "a@x.example", "platform_id": "p", "linked_at": 0}
        async with world.database.record() as connection:
            for google_id in ("1.05942E+11", "12 34", "42", " 43 ", ""):
                await connection.execute(insert(links).values(row | {"google_id": google_id}))
        counts.append(await odd_google_ids(world.database))
        chore = PlaintextLinks(world.database, world.seals)
        while await chore.do_some():
            pass
        counts.append(await odd_google_ids(world.database))

    any_operator.arrange(write)
    assert counts == [2, 2]
    assert "of 2 links the google_id is not digits" in any_operator.fanout("check").stdout.replace(
        "\n", " "
    )
