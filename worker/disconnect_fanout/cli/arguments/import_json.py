"""JSON lines: one object each."""

import json
from collections.abc import Iterator
from typing import Any, TextIO

from disconnect_fanout.cli.arguments.import_line import Line, shown


class _Twice(ValueError):
    """A key stands twice: whichever counted, somebody meant the other one."""


def json_lines(file: TextIO) -> Iterator[Line]:
    """Yield the objects; empty lines are none."""
    for number, line in enumerate(file, 1):
        if line.strip():
            yield number, _object(line)


def _object(line: str) -> dict[str, Any] | str:
    try:
        found = json.loads(line, object_pairs_hook=_once)
    except _Twice as error:
        return str(error)
    except (ValueError, RecursionError):
        return "is not valid JSON"
    return found if isinstance(found, dict) else "is not a JSON object"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(f"the key {shown(next(one for one in names if names.count(one) > 1))} "
                     "stands more than once")  # fmt: skip
    return found
