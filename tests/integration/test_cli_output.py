"""What programs read: data on stdout, the rest on stderr, no colour in a pipe."""

import json
from pathlib import Path

from tests.harness.worker.command import fanout
from tests.harness.worker.command_tree import commands
from tests.harness.worker.operator import Operator

COLOURFUL = {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "TTY_COMPATIBLE": "1", "NO_COLOR": ""}


def registered(operator: Operator) -> Operator:
    add = ("--name", "Luma [bold]", "--url", f"https://luma.example/{'path/' * 30}")
    operator.ask("platforms", "add", "plat_luma", *add)
    return operator


async def test_no_colour_and_no_bar_without_a_terminal(operator: Operator, tmp_path: Path) -> None:
    """Whatever FORCE_COLOR says: not an escape code in tables, errors, or help's data."""
    settings = {**operator.settings, **COLOURFUL}
    for args in (("platforms", "list"), ("check",), ("platforms", "show", "x"), ("dlq", "nope")):
        result = await fanout(settings, *args, folder=tmp_path)
        assert "\x1b" not in result.stdout + result.stderr, args


def test_json_is_an_array_and_json_lines_are_objects(operator: Operator) -> None:
    """Also when there is nothing: an empty array, or no line at all."""
    assert operator.fanout("platforms", "list", "-o", "json").stdout.strip() == "[]"
    assert operator.fanout("platforms", "list", "-o", "jsonl").stdout == ""
    registered(operator)
    (from_array,) = operator.ask("platforms", "list")
    (line,) = operator.fanout("platforms", "list", "-o", "jsonl").stdout.splitlines()
    assert json.loads(line) == from_array
    assert isinstance(operator.ask("platforms", "show", "plat_luma"), dict)


def test_hints_and_warnings_are_not_data(operator: Operator) -> None:
    """`add` says that the secret is shown once: on stderr, so stdout is clean JSON."""
    result = operator.fanout(
        "platforms", "add", "p", "--name", "P", "--url", "https://p.example/", "-o", "json"
    )
    assert set(result.json()) == {"id", "secret"}
    assert "shown once" in result.stderr


def test_a_table_in_a_pipe_cuts_nothing(operator: Operator) -> None:
    """Long values stay whole on one line; brackets are no markup."""
    registered(operator)
    lines = operator.fanout("platforms", "show", "plat_luma").stdout
    assert f"https://luma.example/{'path/' * 30}" in lines
    assert "Luma [bold]" in lines


def test_nothing_found_is_said_to_the_person_only(operator: Operator) -> None:
    """An empty table is no data."""
    result = operator.fanout("dlq", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing found" in result.stderr


def test_every_command_teaches_by_an_example(newcomer: Operator) -> None:
    """`--help` of each command holds an invocation of it, on lines of its own."""
    for command in commands():
        page = newcomer.fanout(*command.words, "--help")
        assert page.exit_code == 0
        invocation = f"fanout {' '.join(command.words)}"
        assert invocation in page.stdout.split("Example")[1], command


def test_the_version_is_printed(newcomer: Operator) -> None:
    """`--version` needs no configuration."""
    assert newcomer.fanout("--version").stdout.startswith("disconnect-fanout ")
