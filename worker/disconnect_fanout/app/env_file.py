"""The ``.env`` of the working directory: what it sets, and what in it can't have been meant.

It is read once, since it may be a pipe.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from disconnect_fanout.app.small_file import Unreadable, read_small

_OURS = re.compile(r"(?:export\s+)?(FANOUT_\w+)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class EnvFile:
    """What was read.

    Attributes:
        variables: by name; of a name that stands twice the last value.
        problems: why it can't be used, in words that hold no value of it.
        warnings: what may have been meant otherwise.
    """

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    problems: Sequence[str] = ()
    warnings: Sequence[str] = ()


def read_env_file(path: Path) -> EnvFile:
    """Return what a ``.env`` says; no file is an empty one."""
    if not os.path.lexists(path):
        return EnvFile()
    try:
        text = read_small(path)
    except Unreadable as error:
        why = _why(path) or f"can't be read: {error}"
        return EnvFile(problems=[f"{path} {why}; expected a file with lines of NAME=value"])
    bindings = list(parse_stream(StringIO(text)))
    sound = "".join(one.original.string for one in bindings if not one.error)
    values = dotenv_values(stream=StringIO(sound))
    return EnvFile(
        {name: value for name, value in values.items() if value is not None},
        [f"{path} line {line} {fault}" for line, fault in _faults(bindings)],
        [f"{path}: {name} is set more than once; the last one counts" for name in _twice(bindings)],
    )


def _why(path: Path) -> str | None:
    if path.is_dir():
        return "is a directory"
    return "is a link that leads to no file" if path.is_symlink() and not path.exists() else None


def _faults(bindings: Sequence[Binding]) -> Iterator[tuple[int, str]]:
    """Yield the lines that set nothing, though somebody wrote them to set something."""
    for one in bindings:
        line, text = _place(one)
        ours = _OURS.match(text)
        if one.error:
            name = f" ({ours[1]})" if ours else ""
            yield line, f"is no assignment{name}; expected NAME=value, and quotes that are closed"
        elif ours and one.value is None:
            yield line, f"has no value for {ours[1]}; expected {ours[1]}=value"


def _place(one: Binding) -> tuple[int, str]:
    """Return where it begins: to the parser, blank lines before it are its own."""
    text = one.original.string
    begun = text.lstrip()
    return one.original.line + text.count("\n", 0, len(text) - len(begun)), begun


def _twice(bindings: Sequence[Binding]) -> list[str]:
    """Return the names of ours that are given different values."""
    given = {(one.key.upper(), one.value) for one in bindings if one.key and _OURS.match(one.key)}
    return sorted(name for name, count in Counter(name for name, _ in given).items() if count > 1)
