"""Constraints for tables that others use: new rows are judged at once, older ones later.

Adding a CHECK the plain way reads the whole table under a lock that stops everybody.
"""

from alembic import op


def add_check(table: str, name: str, rule: str, words: str = "") -> None:
    """Refuse new rows that break a rule; vouch for those that are there if all of them keep it.

    Each statement is a step of its own and harmless when repeated. The one that reads the table
    hinders neither readers nor writers. PostgreSQL only: SQLite can't add a CHECK to a table.

    Args:
        table: to constrain.
        name: of the constraint.
        rule: an expression of SQL over the table's columns.
        words: a comment on the constraint, for whoever looks it up.
    """
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({rule}) NOT VALID")
    if words:
        quoted = words.replace("'", "''")
        op.execute(f"COMMENT ON CONSTRAINT {name} ON {table} IS '{quoted}'")
    # An older row that breaks it stays, and the constraint is not vouched for: no reason to stop.
    op.execute(
        f"DO $do$ BEGIN ALTER TABLE {table} VALIDATE CONSTRAINT {name};"
        " EXCEPTION WHEN check_violation THEN NULL; END $do$"
    )
