"""How many descriptors a worker takes for itself, and what it says when they are too few."""

import json
import subprocess
import sys
from typing import Any

import pytest

_SHOW = """
import json, resource
from disconnect_fanout.app.descriptors import enough_descriptors, of_worker, problem
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from disconnect_fanout.telemetry.logs import configure_logs
configure_logs("info", "json")
needed = of_worker({slots})
enough_descriptors(needed)
print(json.dumps([resource.getrlimit(resource.RLIMIT_NOFILE)[0], problem(needed)]))
"""


def _shown(soft: int, hard: int, slots: int) -> tuple[int, str | None, str]:
    """What a process with these limits comes to: its limit, the problem, and its log."""
    script = _SHOW.format(soft=soft, hard=hard, slots=slots)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    limit, words = json.loads(done.stdout)
    return limit, words, done.stderr


@pytest.mark.parametrize(("soft", "hard"), [(256, 1024), (1024, 1024), (1024, 4096)])
def test_the_soft_limit_is_raised_to_the_hard_one(soft: int, hard: int) -> None:
    """A shell's 1,024 is no wish; up to the hard limit everybody may go, and nothing is said."""
    assert _shown(soft, hard, slots=256) == (hard, None, "")


def test_a_limit_that_stays_too_low_is_said_by_name() -> None:
    """How many there are, how many are needed, and what to change; the worker starts."""
    limit, words, log = _shown(128, 256, slots=256)
    assert limit == 256
    assert words is not None
    assert "FANOUT_MAX_IN_FLIGHT" in words
    assert "256 file descriptors" in words
    line: dict[str, Any] = json.loads(log)
    assert (line["level"], line["message"]) == ("warning", words)
