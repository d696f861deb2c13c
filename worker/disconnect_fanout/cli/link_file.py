"""A file of links to import: CSV with a header, or JSON lines. Read twice, never half.

The first reading looks for problems, the second one yields the links; so a file of any size is
checked to its last line before the first link is written, and is never held in memory.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO, TypeAlias

from disconnect_fanout.cli.link_line import FIELDS, parse_link
from disconnect_fanout.domain.link import Link

_MOST_PROBLEMS = 20
_Line: TypeAlias = tuple[int, Mapping[str, object] | str]
"""The line's number, and its fields or why there are none."""


class BadLinkFile(Exception):
    """Nothing was imported.

    Attributes:
        problems: with line numbers.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def check_file(path: Path) -> set[str]:
    """Read the file to its end; return the ids of the platforms that it names.

    Args:
        path: ends in ``.csv`` or ``.jsonl``.

    Raises:
        BadLinkFile: with the problems, at most twenty of them in words.
    """
    problems: list[str] = []
    platforms: set[str] = set()
    for number, fields in _lines(path):
        try:
            platforms.add(_link(fields).platform_id)
        except ValueError as error:
            problems.append(f"{path.name} line {number}: {error}")
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        tail = [f"and {more} more lines"] if more > 0 else []
        raise BadLinkFile([*problems[:_MOST_PROBLEMS], *tail, "nothing was imported"])
    return platforms


def read_file(path: Path) -> Iterator[Link]:
    """Yield the links of a file that was checked."""
    for number, fields in _lines(path):
        try:
            yield _link(fields)
        except ValueError as error:  # it changed since it was checked
            raise BadLinkFile([f"{path.name} line {number}: {error}"]) from None


def _link(fields: Mapping[str, object] | str) -> Link:
    if isinstance(fields, str):
        raise ValueError(fields)  # noqa: TRY004 - the words of a problem
    return parse_link(fields)


def _lines(path: Path) -> Iterator[_Line]:
    kind = path.suffix.lower()
    if kind not in {".csv", ".jsonl"}:
        raise BadLinkFile([f"{path.name}: expected a file that ends in .csv or .jsonl"])
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _csv_lines(path, file) if kind == ".csv" else _json_lines(file)
    except OSError as error:
        raise BadLinkFile([f"{path}: {error.strerror}"]) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadLinkFile([f"{path.name}: is no UTF-8 text of that kind ({error})"]) from None


def _csv_lines(path: Path, file: TextIO) -> Iterator[_Line]:
    reader = csv.DictReader(file, restkey="", strict=True)
    columns = [name.strip() for name in reader.fieldnames or ()]
    if not {"email", "platform_id"} <= set(columns) or not set(columns) <= set(FIELDS):
        words = f"expected a header with email and platform_id, out of: {', '.join(FIELDS)}"
        raise BadLinkFile([f"{path.name} line 1: {words}"])
    reader.fieldnames = columns
    for row in reader:
        extra = row.pop("", None)
        yield reader.line_num, "has more cells than the header" if extra else row


def _json_lines(file: TextIO) -> Iterator[_Line]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            yield number, "is not valid JSON"
            continue
        yield number, fields if isinstance(fields, dict) else "is not a JSON object"
