"""A file to import: CSV with a header, or JSON lines. Read twice, never half.

The first reading looks for problems, the second one yields what the lines say; so a file of any
size is checked to its last line before the first of it is written, and is never held in memory.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from disconnect_fanout.cli.arguments.import_csv import BadHeader, csv_lines
from disconnect_fanout.cli.arguments.import_json import json_lines
from disconnect_fanout.cli.arguments.import_line import Line, is_whole
from disconnect_fanout.policy.wording.error_words import system_words

Record = TypeVar("Record")
_MOST_PROBLEMS = 20
_MARKS_OF_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class BadImportFile(Exception):
    """Nothing was imported.

    Attributes:
        problems: with line numbers.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _refused(*problems: str) -> BadImportFile:
    """Of a file that is read for the first time."""
    return BadImportFile([*problems, "nothing was imported"])


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
            raise _refused(*problems[:_MOST_PROBLEMS], *tail)

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
        if not is_whole(fields):
            raise ValueError("is not UTF-8 text")
        return self._parse(fields)

    def _lines(self) -> Iterator[Line]:
        path, kind = self._path, self._path.suffix.lower()
        if kind not in {".csv", ".jsonl"}:
            raise _refused(f"{path.name}: expected a file that ends in .csv or .jsonl")
        try:
            self._require_text()
            # What is no UTF-8 becomes halves of characters, and so a problem of its own line.
            with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
                if kind == ".csv":
                    yield from csv_lines(file, self._fields, self._required)
                else:
                    yield from json_lines(file)
        except OSError as error:
            raise _refused(f"{path}: {system_words(error)}") from None
        except BadHeader as error:
            raise _refused(*(f"{path.name} line {one}" for one in error.problems)) from None

    def _require_text(self) -> None:
        if self._path.exists() and not (self._path.is_file() or self._path.is_dir()):
            raise _refused(f"{self._path}: expected a file, which can be read twice")
        with self._path.open("rb") as file:
            if file.read(2) in _MARKS_OF_UTF_16:
                raise _refused(f"{self._path.name} is UTF-16; save it as UTF-8")
