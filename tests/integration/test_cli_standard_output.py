"""A command whose standard output is full, closed, or no longer read: what it says, and does."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.harness.worker.command import FANOUT, environment
from tests.harness.worker.operator import Operator

LUMA = ("--name", "Luma", "--url", "https://luma.example/hook")
FULL = Path("/dev/full")


@contextmanager
def nobody_reads() -> Iterator[int]:
    """The writing end of a pipe whose other end is closed."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


def run(
    operator: Operator, args: Sequence[str], stdout: int, *, redirect: str = "", **settings: str
) -> tuple[int, str]:
    """Run a command as its own process; return its exit code and what it said."""
    words = ["sh", "-c", f'exec "$@" {redirect}', "sh", str(FANOUT), *args]
    env = environment({**operator.settings, **settings})
    ended = subprocess.run(
        words, env=env, cwd=operator.folder, stdout=stdout, stderr=subprocess.PIPE, check=False
    )
    return ended.returncode, ended.stderr.decode()


def registered(operator: Operator, name: str) -> bool:
    return any(one["id"] == name for one in operator.ask("platforms", "list"))


@pytest.mark.parametrize("form", ["table", "json", "jsonl"])
def test_a_full_disk_is_named(operator: Operator, form: str) -> None:
    """Exit 1, one line, no traceback: whoever redirected the output is told why it is short."""
    operator.ask("platforms", "add", "plat_luma", *LUMA)
    with FULL.open("wb") as full:
        code, said = run(operator, ("platforms", "list", "-o", form), full.fileno())
    words = "fanout: standard output can't be written: No space left on device\n"
    assert (code, said) == (1, words)


def test_a_document_on_a_full_disk_is_named(operator: Operator) -> None:
    """What is text and no table is printed through the same door."""
    with FULL.open("wb") as full:
        code, said = run(operator, ("schema", "event"), full.fileno())
    assert code == 1
    assert "No space left on device" in said


@pytest.mark.parametrize("verb", ["add", "rotate-secret"])
@pytest.mark.parametrize("how", ["full", "closed", "unread"])
def test_a_secret_that_nobody_saw_has_a_way_out(operator: Operator, how: str, verb: str) -> None:
    """The change is made, the secret is nowhere, and the line says how to get a new one."""
    if verb != "add":
        operator.ask("platforms", "add", "plat_luma", *LUMA)
    args = ("platforms", verb, "plat_luma", *(LUMA if verb == "add" else ()))
    match how:
        case "full":
            with FULL.open("wb") as full:
                code, said = run(operator, args, full.fileno())
        case "closed":
            code, said = run(operator, args, subprocess.DEVNULL, redirect=">&-")
        case _:
            with nobody_reads() as writer:
                code, said = run(operator, args, writer)
    assert code == 1, said
    assert said.startswith("fanout: standard output can't be written: ")
    assert said.endswith("get a new one: fanout platforms rotate-secret plat_luma --now\n")
    assert said.count("\n") == 1
    assert "whsec_" not in said
    assert registered(operator, "plat_luma")


def test_a_key_that_nobody_saw_has_a_way_out(operator: Operator) -> None:
    """The line names the key by its id, so that it can be withdrawn."""
    operator.ask("platforms", "add", "plat_luma", *LUMA)
    with FULL.open("wb") as full:
        code, said = run(operator, ("keys", "create", "--platform", "plat_luma"), full.fileno())
    (key,) = operator.ask("keys", "list")
    assert code == 1
    assert said.endswith(f"fanout keys revoke {key['id']}\n")


def test_whoever_reads_may_stop(operator: Operator) -> None:
    """As in `| head`: no failure, and nothing is said."""
    operator.ask("platforms", "add", "plat_luma", *LUMA)
    for form in ("table", "json", "jsonl"):
        with nobody_reads() as writer:
            ended = run(operator, ("platforms", "list", "-o", form), writer)
        assert ended == (0, "")
    with nobody_reads() as writer:
        assert run(operator, ("dlq", "export"), writer)[0] == 0


@pytest.mark.parametrize("args", [("--help",), ("dlq", "--help"), ("--version",)])
def test_a_help_page_that_can_not_be_written_is_one_line(
    operator: Operator, args: tuple[str, ...]
) -> None:
    """As any other output. Fails before: it was a traceback."""
    with FULL.open("w") as full:
        code, said = run(operator, args, full.fileno())
    assert (code, said.count("\n")) == (1, 1)
    assert "standard output can't be written: No space left on device" in said


@pytest.mark.parametrize("redirect", ["2>&-", "2>/dev/full"])
def test_nobody_to_tell_is_no_failure(operator: Operator, redirect: str) -> None:
    """A closed or full standard error costs the hints, not the command."""
    args = ("platforms", "add", "plat_luma", *LUMA)
    code, _ = run(operator, args, subprocess.DEVNULL, redirect=redirect)
    assert code == 0
    assert registered(operator, "plat_luma")


@pytest.mark.parametrize("form", ["table", "json", "jsonl"])
def test_what_the_encoding_lacks_is_escaped(operator: Operator, form: str) -> None:
    """A name in another alphabet does not end a command whose terminal knows ASCII alone."""
    operator.ask("platforms", "add", "plat_luma", *LUMA[2:], "--name", "Лума")
    for args in (("list",), ("show", "plat_luma")):
        command = ("platforms", *args, "-o", form)
        ended = run(operator, command, subprocess.DEVNULL, PYTHONIOENCODING="ascii")
        assert ended == (0, "")


def test_an_interruption_while_the_program_loads_is_quiet(operator: Operator) -> None:
    """Ctrl-C in the first half second: exit 130, and no traceback of an import."""
    interrupted = (
        "import sys\n"
        "class Interruption:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'sqlalchemy':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interruption())\n"
        "from disconnect_fanout.cli.start import main\n"
        "main()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", interrupted, "dlq", "list"],
        cwd=operator.folder,
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")


@pytest.mark.parametrize("args", [("dlq", "list", "--event", ""), ("", "list"), ("dlq", "--user=")])
def test_what_no_command_can_mean_is_one_line_of_a_fresh_program(args: tuple[str, ...]) -> None:
    """Exit 2: it is refused before anything else, in a process that has run no command yet."""
    ended = subprocess.run([FANOUT, *args], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("fanout: ")
    assert ended.stderr.count("\n") == 1
