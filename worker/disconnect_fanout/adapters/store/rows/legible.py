"""Rows as people are shown them: one that a column of makes no sense is left out, and named.

SQLite stores whatever it is given, in any column; a row from before a rule, or written by
somebody's own SQL, may lack what every row should have. One must not take a whole list with it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Float,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    and_,
    func,
    not_,
    select,
)

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import deliveries
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.flow.left_out import LeftOutRow

DELIVERY = (
    "event_id", "platform_id", "state", "attempts", "last_result", "last_status", "created_at",
    "next_at", "settled_at", "reason", "because",
)  # fmt: skip
DEAD = (
    "event_id", "platform_id", "reason", "attempts", "last_result", "last_status", "last_error",
    "first_failed_at", "decided_at", "replays",
)  # fmt: skip
_ALWAYS_OF_DEAD = frozenset({"decided_at"})
_MOST_NAMED = 20
_Flaw = Callable[[Row[Any]], str | None]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a column's values are in Python, in SQLite and in words."""

    python: tuple[type, ...]
    sqlite: tuple[str, ...]
    words: str


_KINDS: tuple[tuple[type, _Kind], ...] = (
    (Boolean, _Kind((bool, int), ("integer",), "is neither true nor false")),
    (Float, _Kind((int, float), ("integer", "real"), "is no number")),
    (Integer, _Kind((int,), ("integer",), "is no whole number")),
    (LargeBinary, _Kind((bytes,), ("blob",), "holds no bytes")),
    (String, _Kind((str,), ("text",), "is no text")),
)


def legible(
    database: Database,
    table: Table,
    rows: Iterable[Row[Any]],
    columns: Collection[str],
    flaw: _Flaw = lambda _row: None,
) -> Sequence[Row[Any]]:
    """Return the rows that can be shown; note the others.

    Args:
        database: hears of what is left out.
        table: whose rows they are.
        rows: each with its key and these columns.
        columns: those that are shown.
        flaw: what else may be wrong with one, as ``column: words``.
    """
    shown: list[Row[Any]] = []
    for row in rows:
        what = flaw_of(table, row, columns) or flaw(row)
        if what is None:
            shown.append(row)
        else:
            database.left_out.note(LeftOutRow(table.name, _name(table, row), what))
    return shown


def require_legible(table: Table, row: Row[Any], columns: Collection[str]) -> None:
    """Refuse the one row that somebody asks for.

    Raises:
        UnreadableRow: says which, and the column.
    """
    if (what := flaw_of(table, row, columns)) is not None:
        raise UnreadableRow(f"{table.name} {_name(table, row)} can't be shown: {what}")


def flaw_of(table: Table, row: Row[Any], columns: Collection[str]) -> str | None:
    """Return the first column that holds what it can't, and what is wrong with it."""
    for name in columns:
        column, value = table.c[name], getattr(row, name)
        if value is None:
            if not column.nullable or _demanded(table, name, columns):
                return f"{name}: is missing"
        elif not isinstance(value, (kind := _kind(column)).python):
            return f"{name}: {kind.words}"
    return None


async def countable(
    database: Database, which: Sequence[ColumnElement[bool]]
) -> ColumnElement[bool]:
    """Return what holds of those dead letters that can be counted; note the others of these."""
    whole = _whole(database)
    odd = select(deliveries).where(*which, not_(whole)).limit(_MOST_NAMED)
    async with database.read() as connection:
        legible(database, deliveries, (await connection.execute(odd)).all(), DEAD)
    return whole


def _whole(database: Database) -> ColumnElement[bool]:
    present = deliveries.c.decided_at.is_not(None)
    if not database.sqlite:
        return present
    kinds = (
        func.typeof(deliveries.c[one]).in_((*_kind(deliveries.c[one]).sqlite, "null"))
        for one in DEAD
    )
    return and_(present, *kinds)


def _demanded(table: Table, name: str, columns: Collection[str]) -> bool:
    return table is deliveries and columns is DEAD and name in _ALWAYS_OF_DEAD


def _kind(column: Column[Any]) -> _Kind:
    return next(kind for type_, kind in _KINDS if isinstance(column.type, type_))


def _name(table: Table, row: Row[Any]) -> str:
    return " ".join(str(getattr(row, one.name)) for one in table.primary_key.columns)
