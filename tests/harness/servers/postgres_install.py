"""Finding the PostgreSQL of this machine, or installing it."""

import os
import pwd
import shutil
from pathlib import Path

from disconnect_fanout.demo import debian

_UNITS = ("postgresql.service",)
_CLUSTERS = Path("/etc/postgresql-common/createcluster.conf")
_HOMEBREW = ("/opt/homebrew/opt", "/usr/local/opt")


class NoPostgresError(RuntimeError):
    """There is no PostgreSQL and no way to get one; the message says what to do."""


def find_binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL server's programs."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    for place in _HOMEBREW:
        found += Path(place).glob("postgresql*/bin/initdb")
    return max(found, key=_version).parent if found else None


def ensure_binaries() -> Path:
    """Return the folder of PostgreSQL's programs, installing them where that is possible.

    Raises:
        NoPostgresError: There is none, and it cannot be installed from here.
        ChildFailedError: The installation failed.
    """
    found = find_binaries()
    if found is None and debian.can_install():
        if not _CLUSTERS.exists():  # else the package makes a cluster that nobody asked for
            _CLUSTERS.parent.mkdir(parents=True, exist_ok=True)
            _CLUSTERS.write_text("create_main_cluster = false\n")
        debian.install("postgresql", units=_UNITS)
        found = find_binaries()
    if found is None:
        raise NoPostgresError(
            "the tests need PostgreSQL: brew install postgresql, or sudo apt-get install "
            "postgresql, or set TEST_POSTGRES_URL to a server on which they may create databases"
        )
    return found


def unprivileged_user() -> str | None:
    """Return whom to run PostgreSQL as: nobody special, unless we are root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _version(initdb: Path) -> float:
    digits = "".join(c for c in initdb.parent.parent.name if c.isdigit() or c == ".")
    return float(digits or 0)
