"""A person at a terminal: runs a command, is asked, answers."""

import fcntl
import os
import signal
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Self

from tests.harness.worker.command import FANOUT, environment
from tests.harness.worker.operator import Operator


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


class Terminal:
    """A person who types at a command whose data goes elsewhere.

    Standard input is a terminal, the controlling one, so that Ctrl-C is a key; the question is read
    from standard error, the data from standard output.
    """

    def __init__(self, operator: Operator, *args: str) -> None:
        self._operator = operator
        self._args = args

    def __enter__(self) -> Self:
        self._terminal, its_end = os.openpty()
        self.command = subprocess.Popen(
            [FANOUT, *self._args],
            env=environment(self._operator.settings),
            cwd=self._operator.folder,
            stdin=its_end,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=partial(fcntl.ioctl, its_end, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one call
        )
        os.close(its_end)
        return self

    def __exit__(self, *_: object) -> None:
        self.command.kill()
        self.command.communicate()
        os.close(self._terminal)

    def asked(self) -> str:
        """Wait for the question; return what was said so far."""
        assert self.command.stderr is not None
        return _until(self.command.stderr.fileno(), b"[y/N]").decode()

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._terminal, keys)

    def ended(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and the data."""
        data, _ = self.command.communicate(timeout=60)
        return self.command.returncode, data.decode()
