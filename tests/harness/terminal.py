"""A person at a terminal: runs a command, is asked, answers."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.harness.command import FANOUT, environment
from tests.harness.operator import Operator


def answered(operator: Operator, word: str, *args: str) -> str:
    """Run a command at a terminal, give one answer to its question, return all that was shown.

    Raises:
        subprocess.TimeoutExpired: it went on after the answer.
    """
    with _at_terminal(operator, *args) as (command, terminal):
        shown = _until(terminal, b"[y/N]")
        os.write(terminal, f"{word}\n".encode())
        shown += _until(terminal, None)
        command.wait(timeout=60)
    return shown.decode()


def interrupted(operator: Operator, mark: str, *args: str) -> str:
    """Run a command at a terminal, press Ctrl-C once it has shown ``mark``, return all of it."""
    with _at_terminal(operator, *args) as (command, terminal):
        shown = _until(terminal, mark.encode())
        command.send_signal(signal.SIGINT)
        shown += _until(terminal, None)
        command.wait(timeout=60)
    return shown.decode()


@contextmanager
def _at_terminal(operator: Operator, *args: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    terminal, its_end = os.openpty()
    try:
        command = subprocess.Popen(
            [FANOUT, *args],
            env=environment(operator.settings),
            cwd=operator.folder,
            stdin=its_end,
            stdout=its_end,
            stderr=its_end,
        )
        os.close(its_end)
        yield command, terminal
    finally:
        os.close(terminal)


def _until(terminal: int, mark: bytes | None) -> bytes:
    """Read up to the mark, or to the end: Linux calls that an error, macOS does not."""
    shown = b""
    while mark is None or mark not in shown:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    return shown
