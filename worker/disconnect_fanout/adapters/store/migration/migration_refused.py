"""PostgreSQL lets a role make no table: its configuration's fault, not an outage."""

from collections.abc import Iterator
from contextlib import contextmanager

from disconnect_fanout.flow.outage import StoreRefuses

NO_SCHEMA = (
    "no schema of this role's search_path is there, or it may use none; create one, set its "
    "search_path (ALTER ROLE … SET search_path = …), or GRANT USAGE, CREATE ON SCHEMA … TO it"
)
_AGAIN = "then run: fanout migrate"
_WAYS_OUT = {
    "3F000": f"{NO_SCHEMA}; {_AGAIN}",
    "42501": (
        "the role may not make or change tables there ({words}); let it (GRANT USAGE, CREATE ON "
        f"SCHEMA … TO …), as the owner of those that are there already, {_AGAIN}"
    ),
}


class MigrationRefused(Exception):
    """Nothing was changed by the step that was refused; says what to do."""


@contextmanager
def named_refusals() -> Iterator[None]:
    """Say what to do about what only the owner of the database can mend.

    Raises:
        MigrationRefused: the role has no schema, or may make nothing in it.
    """
    try:
        yield
    except StoreRefuses as error:
        if (way_out := _WAYS_OUT.get(error.sqlstate)) is None:
            raise
        raise MigrationRefused(way_out.replace("{words}", str(error))) from error
