"""What every command has in common, read from the commands themselves: so a new one has it too."""

import json

import pytest
from tests.harness.worker.command_tree import Command, commands
from tests.harness.worker.operator import Operator

PRINT_NO_DATA: dict[tuple[str, ...], str] = {
    ("run",): "serves until a signal; what it says are logs",
    ("api",): "serves until a signal; what it says are logs",
    ("demo",): "tells a story to a person, step by step",
}
OTHER_FORMS: dict[tuple[str, ...], str] = {("dlq", "export"): "<jsonl>"}

TIMES = [
    (one, option)
    for one in commands()
    for option in one.options
    if option in {"--since", "--until", "--at"}
]
LIMITED = [one for one in commands() if "--limit" in one.options]
SPANNED = [(one, option) for one, option in TIMES if option != "--at"]
VALUED = [
    (one, option)
    for one in commands()
    for option in one.options
    if option not in {"--output", "--help"}
]


@pytest.mark.parametrize("command", commands(), ids=str)
def test_every_command_that_prints_data_has_the_forms_of_output(
    newcomer: Operator, command: Command
) -> None:
    """`-o table|json|jsonl`, these and no others; an export is JSON lines alone."""
    if command.words in PRINT_NO_DATA:
        assert "--output" not in command.options
        return
    page = newcomer.fanout(*command.words, "--help").stdout
    assert OTHER_FORMS.get(command.words, "<table|json|jsonl>") in page
    wrong = ["xml", "JSON", "table,json", *(["json", "table"] if "export" in command.words else [])]
    for form in wrong:
        assert repr(form) in newcomer.refused(*command.line("-o", form), code=2)


def test_an_export_says_what_it_is(newcomer: Operator) -> None:
    """`-o json` would be an array of a million: the error says what there is instead."""
    said = newcomer.refused("dlq", "export", "-o", "json", code=2)
    assert "'json': an export is one object a line; expected jsonl" in said


NO_TIMES = ["2025-11-21T15:45:00", "2025-11-21", "20251121T154500", "yesterday", "1763739900"]


@pytest.mark.parametrize(("command", "option"), TIMES, ids=str)
def test_a_time_without_an_offset_is_refused(
    newcomer: Operator, command: Command, option: str
) -> None:
    """By each option that takes a time; so is what is no time, or one that no calendar has."""
    for text in (*NO_TIMES, "2025-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00"):
        said = newcomer.refused(*command.line(option, text), code=2)
        assert option in said
        assert repr(text) in said


@pytest.mark.parametrize(("command", "option"), SPANNED, ids=str)
@pytest.mark.parametrize(
    "time", ["2h", "90s", "7d", "250ms", "2025-11-21T15:45:00+05:30", "2016-12-31T23:59:60Z"]
)
def test_a_span_or_an_instant_is_understood(
    operator: Operator, command: Command, option: str, time: str
) -> None:
    """By each filter; nothing is there to be found, so each ends well."""
    yes = [one for one in ("--yes",) if one in command.options]
    result = operator.fanout(*command.line(option, time, *yes))
    assert result.exit_code == 0, result


@pytest.mark.parametrize("command", LIMITED, ids=str)
@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "1e3", str(10**20)])
def test_a_limit_is_a_number_of_rows(newcomer: Operator, command: Command, limit: str) -> None:
    """At least one, and no more than any database has."""
    assert "--limit" in newcomer.refused(*command.line("--limit", limit), code=2)


@pytest.mark.parametrize(("command", "option"), VALUED, ids=str)
def test_an_empty_value_is_refused(newcomer: Operator, command: Command, option: str) -> None:
    """It is the value of a variable that was not set: no filter, no name, no address."""
    assert f"{option} is empty" in newcomer.refused(*command.words, option, "", code=2)
    assert f"{option} is empty" in newcomer.refused(*command.words, f"{option}=", code=2)


@pytest.mark.parametrize("command", commands(), ids=str)
def test_an_empty_argument_is_refused(newcomer: Operator, command: Command) -> None:
    """As `dlq discard "$ID"` gives it."""
    assert "is empty" in newcomer.refused(*command.words, "", code=2)


@pytest.mark.parametrize("contract", ["openapi", "asyncapi", "event", "webhook", "config"])
def test_a_contract_is_one_document_in_every_form(newcomer: Operator, contract: str) -> None:
    """Indented, also by default; as JSON lines it is one."""
    page = newcomer.fanout("schema", contract).stdout
    for form in ("json", "table"):
        assert newcomer.fanout("schema", contract, "-o", form).stdout == page
    (line,) = newcomer.fanout("schema", contract, "-o", "jsonl").stdout.splitlines()
    assert json.loads(line) == json.loads(page)
