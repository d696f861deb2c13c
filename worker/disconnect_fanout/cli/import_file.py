"""A file to import: CSV with a header, or JSON lines. Read twice, never half.

The first reading looks for problems, the second one yields what the lines say; so a file of any
size is checked to its last line before the first of it is written, and is never held in memory.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Generic, TextIO, TypeAlias, TypeVar

Record = TypeVar("Record")
_MOST_PROBLEMS = 20
_Line: TypeAlias = tuple[int, Mapping[str, object] | str]
"""The line's number, and its fields or why there are none."""


class BadImportFile(Exception):
    """Nothing was imported.

    Attributes:
        problems: with line numbers.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class ImportFile(Generic[Record]):
    """A file of which each line is one record.

    Args:
        path: ends in ``.csv`` or ``.jsonl``.
        fields: that a CSV header may name.
        required: that it must name.
        parse: takes a line's fields, raises ValueError with the first problem.
    """

    def __init__(
        self,
        path: Path,
        fields: Sequence[str],
        required: Sequence[str],
        parse: Callable[[Mapping[str, object]], Record],
    ) -> None:
        self._path = path
        self._fields = fields
        self._required = required
        self._parse = parse

    def check(self, see: Callable[[Record], object]) -> None:
        """Read the file to its end, and show each record to ``see``.

        Raises:
            BadImportFile: with the problems, at most twenty of them in words.
        """
        problems: list[str] = []
        for number, fields in self._lines():
            try:
                see(self._record(fields))
            except ValueError as error:
                problems.append(f"{self._path.name} line {number}: {error}")
        if problems:
            more = len(problems) - _MOST_PROBLEMS
            tail = [f"and {more} more lines"] if more > 0 else []
            raise BadImportFile([*problems[:_MOST_PROBLEMS], *tail, "nothing was imported"])

    def read(self) -> Iterator[Record]:
        """Yield the records of a file that was checked."""
        for number, fields in self._lines():
            try:
                yield self._record(fields)
            except ValueError as error:  # it changed since it was checked
                raise BadImportFile([f"{self._path.name} line {number}: {error}"]) from None

    def _record(self, fields: Mapping[str, object] | str) -> Record:
        if isinstance(fields, str):
            raise ValueError(fields)  # noqa: TRY004 - the words of a problem
        return self._parse(fields)

    def _lines(self) -> Iterator[_Line]:
        path, kind = self._path, self._path.suffix.lower()
        if kind not in {".csv", ".jsonl"}:
            raise BadImportFile([f"{path.name}: expected a file that ends in .csv or .jsonl"])
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from self._csv_lines(file) if kind == ".csv" else _json_lines(file)
        except OSError as error:
            raise BadImportFile([f"{path}: {error.strerror}"]) from None
        except (UnicodeDecodeError, csv.Error) as error:
            raise BadImportFile([f"{path.name}: is no UTF-8 text of that kind ({error})"]) from None

    def _csv_lines(self, file: TextIO) -> Iterator[_Line]:
        reader = csv.DictReader(file, restkey="", strict=True)
        columns = [name.strip() for name in reader.fieldnames or ()]
        if not set(self._required) <= set(columns) <= set(self._fields):
            needed, known = " and ".join(self._required), ", ".join(self._fields)
            words = f"expected a header with {needed}, out of: {known}"
            raise BadImportFile([f"{self._path.name} line 1: {words}"])
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
