"""Rows by many values of one indexed column: a probe of the index for each, never a scan.

Given ``column = ANY(…)``, PostgreSQL guesses for a table without statistics that a few hundred
values are most of it, and reads all of it; and a plan that was made while the table was empty is
kept. Asked for one value after the other it always takes the index.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    bindparam,
    func,
    literal_column,
    select,
    true,
)

from disconnect_fanout.adapters.store.database import Database


def probe(
    database: Database,
    columns: Sequence[ColumnElement[Any]],
    column: ColumnElement[str],
    values: Collection[str],
    *where: ColumnElement[bool],
) -> Select[Any]:
    """Return the query for the rows in which ``column`` is one of ``values``.

    Args:
        database: whose dialect it is in.
        columns: of one table, to be returned.
        column: an indexed column or expression of it.
        values: any number of them.
        where: what else must hold; the condition of a partial index, word for word.
    """
    if database.sqlite:  # always takes the index there is
        return select(*columns).where(*where, database.among(column, values))
    listed = func.unnest(bindparam(None, list(values), type_=ARRAY(Text)))
    wanted = listed.table_valued("value").render_derived()
    # OFFSET keeps the planner from making a join of it, which it might do by a scan.
    rows = select(*columns).where(*where, column == wanted.c.value)
    each = rows.offset(literal_column("0")).lateral()
    return select(*each.c).select_from(wanted.join(each, true()))
