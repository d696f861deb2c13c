"""Finding the PgBouncer of this machine, or installing it."""

import shutil
from pathlib import Path

from disconnect_fanout.demo import debian

_UNITS = ("pgbouncer.service",)
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin", "/usr/local/bin")


class NoPgBouncerError(RuntimeError):
    """There is none and no way to get one; the message says what to do."""


def find_pgbouncer() -> Path | None:
    """Return the program, which is seldom on an ordinary user's path."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path=":".join(_PLACES))
    return None if found is None else Path(found)


def ensure_pgbouncer() -> Path:
    """Return the program, installing it where that is possible.

    Raises:
        NoPgBouncerError: there is none, and it cannot be installed from here.
        ChildFailedError: the installation failed.
    """
    found = find_pgbouncer()
    if found is None and debian.can_install():
        debian.install("pgbouncer", units=_UNITS)
        found = find_pgbouncer()
    if found is None:
        raise NoPgBouncerError(
            "the tests need PgBouncer: brew install pgbouncer, or sudo apt-get install pgbouncer"
        )
    return found
