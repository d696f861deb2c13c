"""What a process and all its descendants have used, read from ``/proc``."""

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """Of a whole family.

    Attributes:
        cpu_s: user and system, ended children included.
        rss: bytes resident now.
    """

    cpu_s: float
    rss: int

    @classmethod
    def of(cls, pid: int) -> "Usage":
        """Look at a family."""
        stats = [_stat(one) for one in family(pid)]
        cpu = sum(sum(map(int, one[11:15])) for one in stats if one)
        return cls(cpu / _TICKS, sum(int(one[21]) * _PAGE for one in stats if one))


def family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    children = defaultdict(list)
    for one in Path("/proc").glob("[0-9]*"):
        if stat := _stat(int(one.name)):
            children[int(stat[1])].append(int(one.name))
    found, left = list[int](), [pid]
    while left:
        found.append(left.pop())
        left += children[found[-1]]
    return found


def _stat(pid: int) -> list[str]:
    """Return the fields after the name, which may hold anything; none if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
