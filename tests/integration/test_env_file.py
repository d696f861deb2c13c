"""The ``.env`` in the working directory: read as it was meant, or refused by name."""

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.harness.worker.operator import Operator

from disconnect_fanout.adapters.crypto.vault import new_key
from disconnect_fanout.app.settings import SettingsError, load_configuration
from disconnect_fanout.app.small_file import Unreadable, read_small

SECRET = "hunter2"  # noqa: S105 - what must not be shown
ENV = Path(".env")
KEY = new_key()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no variable but the secret key."""
    monkeypatch.setattr("os.environ", {"FANOUT_SECRET_KEY": KEY})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal() -> SettingsError:
    with pytest.raises(SettingsError) as raised:
        load_configuration()
    return raised.value


def is_a_socket() -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(".env")


UNUSABLE: dict[str, tuple[Callable[[], object], str]] = {
    "a directory": (ENV.mkdir, ".env is a directory"),
    "a link to a directory": (lambda: ENV.symlink_to("/"), ".env is a directory"),
    "a link to nothing": (lambda: ENV.symlink_to("gone"), ".env is a link that leads to no file"),
    "a link to itself": (lambda: ENV.symlink_to(".env"), ".env is a link that leads to no file"),
    "a socket": (is_a_socket, ".env can't be read: No such device or address"),
    "not UTF-8": (lambda: ENV.write_bytes(b"A=\xff"), ".env can't be read: it is not UTF-8"),
    "UTF-16": (lambda: ENV.write_text("A=1", "utf-16"), ".env can't be read: it is not UTF-8"),
    "a disk's image": (lambda: ENV.write_bytes(bytes(1 << 20)), ".env can't be read: it is longer"),
}


@pytest.mark.parametrize(("make", "words"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_file_that_can_t_be_used_is_an_error(make: Callable[[], object], words: str) -> None:
    """It is not taken for no file at all, though the environment alone would do."""
    make()
    (problem,) = refusal().problems
    assert problem.startswith(words)
    assert "expected a file with lines of NAME=value" in problem


def test_it_is_one_problem_among_the_others(operator: Operator) -> None:
    """Exit 3 names the file, each wrong variable, and the misspelt one that may be the cause."""
    (operator.folder / ".env").mkdir()
    del operator.settings["FANOUT_SECRET_KEY"]
    operator.settings |= {"FANOUT_PREFETCH": "none", "FANOUT_SECRET_KE": KEY}
    said = operator.refused("platforms", "list", code=3)
    for words in (".env is a directory", "FANOUT_SECRET_KEY is not set", "FANOUT_PREFETCH is"):
        assert words in said
    assert "FANOUT_SECRET_KE is not a setting and has no effect; did you mean" in said
    assert KEY not in said


READ = {
    "plain": "FANOUT_PREFIX=x\n",
    "no line end": "FANOUT_PREFIX=x",
    "a byte-order mark": "\ufeffFANOUT_PREFIX=x\n",
    "line ends of Windows": "OTHER=1\r\nFANOUT_PREFIX=x\r\n",
    "export": "export FANOUT_PREFIX=x\n",
    "quotes": "FANOUT_PREFIX='x'\n",
    "double quotes": 'FANOUT_PREFIX="x" # why\n',
    "a comment": "# FANOUT_PREFIX=y\nFANOUT_PREFIX=x # why\n",
    "blanks": "\n\n  FANOUT_PREFIX = x  \n",
    "small letters": "fanout_prefix=x\n",
    "a name of another program alone": "OTHER\nFANOUT_PREFIX=x\n",
    "an empty one": "FANOUT_PREFETCH=\nFANOUT_PREFIX=x\n",
    "a name in the value": "NAME=x\nFANOUT_PREFIX=${NAME}\n",
}


@pytest.mark.parametrize("text", READ.values(), ids=READ.keys())
def test_what_people_write_is_understood(text: str) -> None:
    """As other programs that read such a file do, without a warning."""
    ENV.write_text(text, newline="")
    found = load_configuration()
    assert (found.settings.prefix, found.warnings) == ("x", [])


NOT_READ = {
    "a colon": (f"A=1\n\nFANOUT_AMQP_URL: {SECRET}\n", "line 3 is no assignment (FANOUT_AMQP_URL)"),
    "words": (f"the key is {SECRET}\n", "line 1 is no assignment"),
    "an open quote": (f"A=1\nexport FANOUT_AMQP_URL='{SECRET}\n", "line 2 is no assignment"),
    "words behind a quote": (f"FANOUT_AMQP_URL='{SECRET}' and\n", "line 1 is no assignment"),
    "no name": (f"={SECRET}\n", "line 1 is no assignment"),
    "a name alone": ("A=1\nFANOUT_PREFETCH\n", "line 2 has no value for FANOUT_PREFETCH"),
    "an exported name": ("export FANOUT_PREFETCH\n", "line 1 has no value for FANOUT_PREFETCH"),
}


@pytest.mark.parametrize(("text", "words"), NOT_READ.values(), ids=NOT_READ.keys())
def test_a_line_that_sets_nothing_is_an_error(text: str, words: str) -> None:
    """By its number, and by the name that it was to set; its value may be a secret."""
    ENV.write_text(text)
    (problem,) = refusal().problems
    assert problem.startswith(f".env {words}")
    assert SECRET not in problem


def test_all_bad_lines_are_said_at_once_and_the_good_ones_are_read() -> None:
    """So that a wrong value on a good line is said with them."""
    ENV.write_text("one two\nFANOUT_PREFETCH=none\n'\nFANOUT_TIMEOUT\n")
    assert [one.split(" is ")[0].split(" has ")[0] for one in refusal().problems] == [
        ".env line 1",
        ".env line 3",
        ".env line 4",
        "FANOUT_PREFETCH",
    ]


def test_of_a_name_that_stands_twice_the_last_one_counts_and_that_is_said() -> None:
    """Whoever appends a line means that; whoever overlooks one wonders. The same twice is none."""
    ENV.write_text("FANOUT_PREFIX=x\nA=1\nA=2\nFANOUT_PREFETCH=7\nfanout_prefix=y\n")
    found = load_configuration()
    assert found.settings.prefix == "y"
    assert found.warnings == [".env: FANOUT_PREFIX is set more than once; the last one counts"]
    ENV.write_text("FANOUT_PREFIX=x\nFANOUT_PREFIX='x'\n")
    assert load_configuration().warnings == []


def test_a_pipe_is_read_once() -> None:
    """A program that keeps secrets may write them into one; who reads twice waits for ever."""
    os.mkfifo(".env")
    writer = threading.Thread(target=ENV.write_text, args=("FANOUT_PREFIX=x\n",))
    writer.start()
    assert load_configuration().settings.prefix == "x"
    writer.join()


def test_a_pipe_into_which_nobody_writes_is_named() -> None:
    """Whoever waits for it without an end says nothing at all. Fails before: so did we."""
    os.mkfifo(".env")
    with pytest.raises(Unreadable, match="nobody wrote"):
        read_small(ENV, within_s=0.1)


def test_a_secret_that_is_given_in_two_ways_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one place; the environment still wins over the .env, whichever way each gives it."""
    Path("f").write_text("amqp://from-file/")
    ENV.write_text("FANOUT_AMQP_URL=amqp://from-env-file/\n")
    monkeypatch.setenv("FANOUT_AMQP_URL_FILE", "f")
    settings = load_configuration().settings
    assert settings.amqp_url.get_secret_value() == "amqp://from-file/"
    monkeypatch.setenv("FANOUT_AMQP_URL", f"amqp://{SECRET}/")
    monkeypatch.setenv("FANOUT_SECRET_KEY_FILE", "f")
    monkeypatch.setenv("FANOUT_DATABASE_URL_FILE", "")
    assert refusal().problems == [
        f"{name} and {name}_FILE are both set in the environment; expected one of them"
        for name in ("FANOUT_AMQP_URL", "FANOUT_SECRET_KEY")
    ]


SECRET_FILES: dict[str, tuple[str, bytes, str]] = {
    "missing": ("nothing", b"", "can't be read from the file 'nothing' (No such file"),
    "a directory": (".", b"", "can't be read from the file '.' (Is a directory)"),
    "below a file": ("f/x", b"x", "can't be read from the file 'f/x' (Not a directory)"),
    "empty": ("f", b" \n", "can't be read from the file 'f' (it is empty)"),
    "no text": ("f", b"\xff", "can't be read from the file 'f' (it is not UTF-8 text)"),
    "long": ("f", bytes(1 << 20), "can't be read from the file 'f' (it is longer"),
    "two lines": ("f", b"amqp://a/\namqp://b/\n", "holds a blank or a line end"),
    "a NUL": ("f", b"amqp://a/\0", "holds a blank or a line end"),
    "the secret itself": (f"amqp://u:{SECRET}@h/", b"", "is to be read from a file, and no path"),
}


@pytest.mark.parametrize(("path", "text", "words"), SECRET_FILES.values(), ids=SECRET_FILES.keys())
def test_a_secret_s_file_that_holds_none_is_an_error(
    monkeypatch: pytest.MonkeyPatch, path: str, text: bytes, words: str
) -> None:
    """It names the setting, the file and the fault, and nothing of what the file holds."""
    Path("f").write_bytes(text)
    monkeypatch.setenv("FANOUT_AMQP_URL_FILE", path)
    (problem,) = refusal().problems
    assert problem.startswith(f"FANOUT_AMQP_URL {words}")
    assert SECRET not in problem


def test_an_editor_s_mark_and_line_end_are_no_part_of_a_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A byte-order mark in front, a line end of Windows behind."""
    Path("f").write_bytes(b"\xef\xbb\xbfamqp://a/\r\n")
    monkeypatch.setenv("FANOUT_AMQP_URL_FILE", "f")
    assert load_configuration().settings.amqp_url.get_secret_value() == "amqp://a/"
