"""On SQLite one ``fanout run`` at a time: a lock that a crash releases."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy.engine import make_url

from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.policy.wording.error_words import system_words


class AlreadyRunning(Exception):
    """Another worker holds the SQLite file."""


class RunLock:
    """Held from entry to exit; the kernel lets go of it when the process ends, however it ends.

    On any database but SQLite there is nothing to hold: many workers are welcome.

    Raises:
        AlreadyRunning: on entry, if another process holds it.
        StoreUnreachable: on entry, if its file can't be made beside the database.
    """

    def __init__(self, database_url: str) -> None:
        url = make_url(database_url)
        # The file itself, not a name for it: a symlink would let a second worker in.
        sqlite = url.database and url.get_backend_name() == "sqlite"
        file = Path(url.database or "").resolve()
        self._path = file.with_name(f"{file.name}.run.lock") if sqlite else None

    def __enter__(self) -> Self:
        """Take it."""
        if self._path is None:
            return self
        try:
            self._file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "a")
        except OSError as error:
            raise StoreUnreachable(f"can't lock {self._path}: {system_words(error)}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise AlreadyRunning(
                f"another `fanout run` holds {self._path}; SQLite serves one worker at a time "
                "(PostgreSQL serves many)"
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let it go."""
        if self._path is not None:
            self._file.close()
