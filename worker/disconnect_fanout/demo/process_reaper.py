"""A reaper: whatever it holds dies with the process that holds it, even after ``kill -9``.

No ``atexit`` hook and no signal handler runs when a process is killed with SIGKILL, or leaves
through ``os._exit`` as pytest-timeout does, and ``PR_SET_PDEATHSIG`` is Linux only, is tied to a
*thread*, and is forgotten by a program that changes its user. A pipe has none of these gaps: the
kernel closes its writing end whenever, and however, this process ends. At the other end waits this
same file, run as a program; at the end of the stream it kills what it was given to hold and removes
the folder. So the ordinary way out and the violent one are one path.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

_STOPS_WITHIN_S = 2.0
_LOOK_AGAIN_S = 0.001


class ProcessReaper:
    """Holds process groups and at most one folder; closing it kills and removes them.

    Args:
        folder: Removed, with all it contains, when the reaper ends.
    """

    def __init__(self, folder: Path | None = None) -> None:
        # A session of its own: Ctrl-C in the terminal must not end the one who cleans up.
        self._warden = subprocess.Popen(  # noqa: S603 - this very file
            [sys.executable, "-I", "-S", __file__, *([str(folder)] if folder else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def hold(self, group: int) -> None:
        """Kill process group ``group`` when this process, or the reaper, ends."""
        self._tell(f"+{group}")

    def release(self, group: int) -> None:
        """Forget ``group``: it has ended, and its number may soon be another's."""
        self._tell(f"-{group}")

    def close(self) -> None:
        """Kill what is held, remove the folder, and wait until both are done."""
        if self._warden.stdin is not None:
            self._warden.stdin.close()
        self._warden.wait()

    def _tell(self, line: str) -> None:
        if self._warden.stdin is None or self._warden.stdin.closed:
            raise RuntimeError("this reaper is closed")
        self._warden.stdin.write(f"{line}\n")
        self._warden.stdin.flush()


def signal_family(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process group and to those children of its leader that left the group.

    PostgreSQL, for one, gives each of its backends a session of its own.
    """
    # Asked before, because the killed leave no children, and after, because the living make more.
    children = _children(pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
    for child in {*children, *_children(pid)}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)


def freeze_family(pid: int) -> None:
    """Stop the clock of a process and its family, and return when the kernel has stopped it.

    SIGSTOP is only sent by then: another processor may let the process answer once more.
    """
    signal_family(pid, signal.SIGSTOP)
    until = time.monotonic() + _STOPS_WITHIN_S
    for one in (pid, *_children(pid)):
        while _runs(one) and time.monotonic() < until:
            time.sleep(_LOOK_AGAIN_S)


def _runs(pid: int) -> bool:
    """Whether any thread of it is neither stopped nor ended; False where nobody tells (macOS)."""
    try:
        stats = [one.read_text() for one in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:  # it is gone
        return False
    return any(one.rpartition(")")[2].split()[0] not in "TtZX" for one in stats)


def _children(pid: int) -> list[int]:
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:  # macOS, or a process that is gone
        pgrep = shutil.which("pgrep")
        if Path("/proc/self").exists() or pgrep is None:
            return []
        listed = subprocess.run(  # noqa: S603 - macOS's own
            [pgrep, "-P", str(pid)], stdout=subprocess.PIPE, text=True, check=False
        ).stdout
    return [int(child) for child in listed.split()]


def _ward(orders: Iterable[str], folders: Sequence[str]) -> None:
    held: set[int] = set()
    for order in orders:
        group = int(order[1:])
        if order.startswith("+"):
            held.add(group)
        else:
            held.discard(group)
    for group in held:
        signal_family(group, signal.SIGKILL)
    # Twice: a process that is being killed can still create a file under a sweep.
    for folder in (*folders, *folders):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _ward(sys.stdin, sys.argv[1:])
