"""Rows that mean nothing are refused by name; what means one thing only is put right.

Old workers bear all of it: they write rows of the right form, and know nothing of the new column.
Rows that are there already and can't be put right stay. On PostgreSQL a CHECK judges every update,
so those rows may still be sealed (links without clear text) and switched off (platforms).
"""

import re

import sqlalchemy as sa
from alembic import op

from disconnect_fanout.adapters.store.migration.migrations.checks import add_check

revision = "0013"
down_revision = "0012"

_FIRST, _LAST = -62135596800, 253402300799  # the years 1 and 9999, in seconds
_PROVIDERS = "('google', 'office365', 'apple')"
_SCHEMES = "('standard', 'standard-ed25519', 'cal')"
_INSTANTS = ("linked_at", "unlinked_at")
_SEALED = "(email IS NULL AND google_id IS NULL)"

_MEANT = f"(trim(provider) = '' OR lower(trim(provider)) IN {_PROVIDERS})"
_WORSE = f"provider NOT IN {_PROVIDERS} AND {_MEANT}"

_REPAIRS = (
    f"UPDATE links SET provider = NULLIF(lower(trim(provider)), '') WHERE {_WORSE}",  # noqa: S608
    "UPDATE links SET platform_id = trim(platform_id) WHERE platform_id <> trim(platform_id)",
    *[
        f"UPDATE platforms SET {column} = NULL WHERE {column} = 0"  # noqa: S608 - a name of ours
        for column in ("timeout_s", "max_in_flight")  # read so by every version
    ],
)

_EMAIL = (
    "email IS NULL OR (email LIKE '%_@_%' AND length(email) <= 320) "
    "OR (email = '' AND coalesce(google_id, '') <> '')"
)
_TRIMMED = "trim(google_id, ' ' || char(9) || char(10) || char(13))"  # SQLite's
_INSTANT = f"{{column}} BETWEEN {_FIRST} AND {_LAST}"
_RULES: tuple[tuple[str, str, str, str], ...] = (
    (
        "links",
        "provider",
        f"provider IS NULL OR provider IN {_PROVIDERS} OR {_SEALED}",
        "links.provider must be google, office365, apple or NULL for all of them",
    ),
    (
        "links",
        "linked_at",
        _INSTANT.format(column="linked_at"),
        "links.linked_at must be in whole seconds since 1970, not milliseconds",
    ),
    (
        "links",
        "unlinked_at",
        f"unlinked_at IS NULL OR {_INSTANT.format(column='unlinked_at')}",
        "links.unlinked_at must be in whole seconds since 1970, not milliseconds",
    ),
    (
        "links",
        "platform_id",
        f"(length(platform_id) BETWEEN 1 AND 128 AND {{printable}}) OR {_SEALED}",
        "links.platform_id must be 1 to 128 characters without blanks",
    ),
    (
        "links",
        "email",
        _EMAIL,
        "links.email must be one address of at most 320 characters",
    ),
    (
        "links",
        "google_id",
        "google_id IS NULL OR google_id = '' OR (length(google_id) <= 128 AND {digits})",
        "links.google_id must be digits, or NULL",
    ),
    (
        "platforms",
        "scheme",
        f"scheme IN {_SCHEMES} OR NOT enabled",
        "platforms.scheme must be standard, standard-ed25519 or cal",
    ),
    *[
        (
            "platforms",
            column,
            f"{column} IS NULL OR ({column} > 0 AND {column} < 1000000000) OR NOT enabled",
            f"platforms.{column} must be a positive number, or NULL",
        )
        for column in ("timeout_s", "max_in_flight", "rate_per_s")
    ],
)


def upgrade() -> None:
    """Add the column, put right what can be, then refuse the rest."""
    op.add_column("outbox", sa.Column("problem", sa.String(120)))
    postgres = op.get_bind().dialect.name == "postgresql"
    for repair in _REPAIRS:
        op.execute(repair)
    for column in _INSTANTS:
        _in_seconds(column, "" if postgres else f" AND typeof({column}) = 'integer'")
    for rule in _RULES:
        (_constrain if postgres else _trigger)(*rule)


def _in_seconds(column: str, whole: str) -> None:
    """Milliseconds, microseconds and nanoseconds become seconds; SQLite compares texts too."""
    for _ in range(3):
        op.execute(
            f"UPDATE links SET {column} = {column} / 1000 "  # noqa: S608 - a name of ours
            f"WHERE {column} > {_LAST}{whole}"
        )
    op.execute(
        f"UPDATE links SET {column} = {_FIRST} WHERE {column} < {_FIRST}"  # noqa: S608
    )


def _constrain(table: str, column: str, rule: str, words: str) -> None:
    name = f"ck_{table}_{column}"
    held = rule.format(
        printable="platform_id !~ '[[:space:]]'", digits=r"google_id ~ '^\s*[0-9]+\s*$'"
    )
    add_check(table, name, held, words)


def _trigger(table: str, column: str, rule: str, words: str) -> None:
    """SQLite can't add a CHECK to a table that is there; it stores any type in any column."""
    blanks = " AND ".join(f"instr(platform_id, char({one})) = 0" for one in (9, 10, 13, 32))
    held = rule.format(
        printable=blanks, digits=f"{_TRIMMED} <> '' AND {_TRIMMED} NOT GLOB '*[^0-9]*'"
    )
    if column.endswith("linked_at"):
        held = f"({held}) AND typeof({column}) IN ('integer', 'null')"
    new = _of_new(held)
    for what in ("INSERT", f"UPDATE OF {column}"):
        name = f"ck_{table}_{column}_{what.partition(' ')[0].lower()}"
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {what} ON {table} WHEN NOT ({new}) "
            f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
        )


def _of_new(rule: str) -> str:
    """Write a rule about a row's columns as one about the row that is being written."""
    columns = (
        "unlinked_at", "linked_at", "provider", "platform_id", "email", "google_id", "scheme",
        "timeout_s", "max_in_flight", "rate_per_s", "enabled",
    )  # fmt: skip
    words = [f"NEW.{one}" if one in columns else one for one in _split(rule)]
    return "".join(words)


def _split(rule: str) -> list[str]:
    return [one for one in re.split(r"('[^']*'|\w+)", rule) if one]
