"""How clear links are found, however their owner has spelled them.

Both databases can lower ASCII letters and nothing else. So an ordinary address has a key that SQL
makes: itself without blanks around it, in lower case. All others share the key ``ODD``: they are
read whenever anybody is looked for, and compared here (``domain.mailbox``). There are few, because
the job seals them first.

As one index holds both kinds of keys, no planner is tempted to read the table, not even before it
has statistics. The expressions are those of revision 0008, to the letter.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Row, Text, cast, literal_column

from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import links
from disconnect_fanout.domain.mailbox import mailbox

ODD = ""
"""The key of what only ``mailbox`` can compare: not printable ASCII, or an A-label."""

_SQLITE = {
    "email": (
        "CASE WHEN trim(email) GLOB '*[^!-~]*' OR email GLOB '*[xX][nN]--*'"
        " THEN '' ELSE lower(trim(email)) END"
    ),
    "google_id": "CASE WHEN trim(google_id) GLOB '*[^!-~]*' THEN '' ELSE trim(google_id) END",
}
_POSTGRES = {
    "email": (
        """CASE WHEN btrim(email) COLLATE "C" ~ '[^!-~]|[xX][nN]--'"""
        """ THEN '' ELSE lower(btrim(email) COLLATE "C") END"""
    ),
    "google_id": (
        """CASE WHEN btrim(google_id) COLLATE "C" ~ '[^!-~]'"""
        """ THEN '' ELSE btrim(google_id) END"""
    ),
}
_CLEAR = ("email", "google_id")


def key(database: Database, column: str) -> ColumnElement[str]:
    """Return the key of ``email`` or ``google_id`` as SQL; an index has it where there is one."""
    return literal_column((_SQLITE if database.sqlite else _POSTGRES)[column], Text)


def keys_of(mailboxes: Collection[str]) -> list[str]:
    """Return the keys under which rows of these mailboxes may be."""
    return [*mailboxes, *(f"{one}." for one in mailboxes), ODD]


def link_columns(database: Database) -> Sequence[ColumnElement[Any]]:
    """Return the columns of ``links``; on SQLite clear ones as bytes.

    SQLite stores whatever it is given, and one text that is no UTF-8 would fail a whole query.
    """
    if not database.sqlite:
        return list(links.c)
    return [
        cast(one, LargeBinary).label(one.name) if one.name in _CLEAR else one for one in links.c
    ]


def written(row: Row[Any]) -> tuple[str | None, str | None]:
    """Return what the owner wrote in clear: the mailbox and the google id, None where nothing."""
    email, google_id = _text(row.email), _text(row.google_id)
    return None if email is None else mailbox(email), google_id


def _text(value: str | bytes | None) -> str | None:
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return None if value is None else value.strip() or None
