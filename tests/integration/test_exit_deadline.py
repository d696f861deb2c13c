"""The last resort: a process that hangs is gone at its deadline, and one that does not is not."""

import subprocess
import sys

import pytest

_HANGS = """
import sys, threading
from disconnect_fanout.app.exit_deadline import ExitDeadline
deadline = ExitDeadline()
deadline.set(0.2)
deadline.set(3600)
{then}
"""


@pytest.mark.parametrize(
    "then",
    [
        "threading.Event().wait()",
        "import asyncio; asyncio.run(asyncio.Event().wait())",
        "threading.Thread(target=threading.Event().wait).start()",
    ],
)
def test_who_hangs_is_left(then: str) -> None:
    """A stuck loop, a task without end, a thread that nobody joins: the process ends with 1."""
    done = subprocess.run(
        [sys.executable, "-c", _HANGS.format(then=then)],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert b"leaving without it" in done.stdout + done.stderr


def test_who_ends_in_time_keeps_its_own_exit_code() -> None:
    """A deadline that was lifted does nothing."""
    done = subprocess.run(
        [sys.executable, "-c", _HANGS.format(then="deadline.lift(); sys.exit(7)")],
        capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 7
