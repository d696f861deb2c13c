"""CSV with a header, strictly: what a spreadsheet guesses is a wrong link here."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TextIO

from disconnect_fanout.cli.arguments.import_line import Line, shown

_MOST_PROBLEMS = 20
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class BadHeader(Exception):
    """The first line does not say what the others hold.

    Attributes:
        problems: all of them, each with the number of the line in front.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def csv_lines(file: TextIO, fields: Sequence[str], required: Sequence[str]) -> Iterator[Line]:
    """Yield the rows behind the header; empty lines are none.

    Args:
        file: opened with ``newline=""``.
        fields: that the header may name, in small letters.
        required: that it must name.

    Raises:
        BadHeader: with all that is wrong with it.
    """
    rows = _rows(file)
    number, header = next(rows, (1, []))
    if isinstance(header, str):
        raise BadHeader([f"{number}: {header}"])
    columns = [_folded(cell) for cell in header]
    if problems := _header_problems(columns, fields, required):
        raise BadHeader([f"{number}: {one}" for one in problems[:_MOST_PROBLEMS]])
    for number, row in rows:
        if isinstance(row, str):
            yield number, row
        elif len(row) != len(columns):
            yield number, f"has {_cells(len(row))}, and the header has {len(columns)}"
        else:
            yield number, dict(zip(columns, row, strict=True))


def _rows(file: TextIO) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the cells with the number of their first line; the last may be what ended it."""
    reader = csv.reader(file, strict=True)
    while True:
        begun = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield begun, f"is no CSV: {error}"
            return
        if any(cell.strip() for cell in row) or len(row) > 1:
            yield begun, row


def _folded(cell: str) -> str:
    """Return a column's name as it is compared; files that were joined hold marks in the middle."""
    return cell.replace("\ufeff", "").strip().lower()


def _header_problems(
    columns: Sequence[str], fields: Sequence[str], required: Sequence[str]
) -> list[str]:
    expected = f"expected {', '.join(fields)}"
    if len(columns) == 1 and (other := _separated_by(columns[0], required)):
        return [f"its columns are separated by {other}; expected commas"]
    unknown = [one for one in dict.fromkeys(columns) if one not in fields]
    doubled = [one for one, count in Counter(columns).items() if count > 1 and one in fields]
    missing = [one for one in required if one not in columns]
    return [
        *(f"the column {one!r} is there more than once" for one in doubled),
        *(f"the column {columns.index(one) + 1}, {shown(one)}, is unknown; {expected}"
          for one in unknown),
        *(f"there is no column {one!r}" for one in missing),
    ]  # fmt: skip


def _separated_by(header: str, required: Sequence[str]) -> str | None:
    """Return what a header is separated by that is whole but for its commas."""
    for sign, name in _OTHER_SEPARATORS.items():
        if set(required) <= {_folded(one.strip('"')) for one in header.split(sign)}:
            return name
    return None


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"
