"""A migration on a busy PostgreSQL: one statement after the other, each one bearable.

Workers go on while a new version migrates, and so do dumps and reports. Whoever wants to change a
table waits for all who read it, and everybody else then waits behind him: one dump and one ALTER
TABLE stop every worker. So

- a statement waits for its lock for a second only, lets everybody pass, and comes again;
- an index of a table with rows is built CONCURRENTLY, which hinders nobody however long it waits;
- each statement stands by itself, so that no lock outlives it. A migration that was interrupted
  begins its revision again: what is there already is left, an index that was cut short is not.

Plain ``op.add_column``, ``op.create_index``, ``op.create_table`` and ``op.execute`` of a revision
arrive here by themselves. Rows are changed by statements that may be repeated.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from alembic.ddl.impl import DefaultImpl
from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy import CursorResult, Executable, Index, Table, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable

from disconnect_fanout.adapters.store.migration.lock_turns import LockTurns

_THERE_ALREADY = frozenset({"42P07", "42701", "42710"})  # a table or index, a column, an object
_LONGEST_NAME = 80
_CUT_SHORT = text(
    "SELECT EXISTS (SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " WHERE c.relname = :name AND pg_table_is_visible(c.oid) AND NOT i.indisvalid)"
)


class Steps(PostgresqlImpl):
    """How Alembic's operations are carried out, in place of its own way."""

    def __init__(self, plain: DefaultImpl, turns: LockTurns) -> None:
        super().__init__(
            plain.dialect,
            plain.connection,
            as_sql=False,
            transactional_ddl=False,
            output_buffer=None,
            context_opts=plain.context_opts,
        )
        self._turns = turns
        self._made: set[str] = set()

    def _exec(
        self,
        construct: Executable | str,
        execution_options: Mapping[str, Any] | None = None,
        multiparams: Sequence[Mapping[str, Any]] | None = None,
        params: Mapping[str, Any] = {},
    ) -> CursorResult[Any] | None:
        def run() -> CursorResult[Any] | None:
            done = super(Steps, self)._exec(construct, execution_options, multiparams, params)
            if isinstance(construct, CreateTable):
                self._made.add(construct.element.name)
            return done

        if isinstance(construct, CreateIndex) and self._has_rows(construct.element):
            self._build(construct.element)
            return None
        return self._turns.take(
            self._bind(), self._name(construct), lambda: self._unless_there(construct, run)
        )

    def _has_rows(self, index: Index) -> bool:
        """Tell whether it may have: a table made a moment ago is locked by nobody."""
        return index.table is None or index.table.name not in self._made

    def _build(self, index: Index) -> None:
        index.dialect_options["postgresql"]["concurrently"] = True
        name = str(index.name)
        build = CreateIndex(index, if_not_exists=True)

        def run() -> None:
            if self._bind().execute(_CUT_SHORT, {"name": name}).scalar_one():
                quoted = self.dialect.identifier_preparer.quote(name)
                self._bind().execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {quoted}"))
            self._bind().execute(build)

        self._turns.take(self._bind(), f"CREATE INDEX {name}", run, in_the_way=False)

    def _unless_there(
        self, construct: object, run: Callable[[], CursorResult[Any] | None]
    ) -> CursorResult[Any] | None:
        try:
            return run()
        except DBAPIError as error:
            there = str(getattr(error.orig, "sqlstate", None)) in _THERE_ALREADY
            if there and (not isinstance(construct, CreateTable) or self._fits(construct.element)):
                return None
            raise

    def _fits(self, table: Table) -> bool:
        """Tell whether the table there is ours, not somebody else's of the same name."""
        found = {one["name"] for one in inspect(self._bind()).get_columns(table.name)}
        return {one.name for one in table.columns} <= found

    def _name(self, construct: object) -> str:
        """What is being done, for a person who waits; our own statements, which name no user."""
        compiled = getattr(construct, "compile", None)
        words = str(construct if compiled is None else compiled(dialect=self.dialect))
        return " ".join(words.split())[:_LONGEST_NAME]

    def _bind(self) -> Any:  # noqa: ANN401 - Alembic's own attribute, a connection
        return self.connection
