"""A disk that can be full, for one worker's SQLite file.

Where this process may mount (root, outside of a container without that right) it is a small file
system in memory, filled with ballast. Elsewhere the kernel refuses the worker any file larger than
a few pages (``RLIMIT_FSIZE``, set from outside): to SQLite that is a write that fails, too.
"""

import asyncio
import contextlib
import resource
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

_SIZE = 48 * 2**20
_FEW_PAGES = 64 * 2**10
_MIB = bytes(2**20)


class SmallDisk:
    """Holds ``folder``; it is full from ``fill`` to ``free``.

    Args:
        folder: Where it is to be; not there yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mounted = False
        self._worker: int | None = None

    async def __aenter__(self) -> Self:
        self.folder.mkdir()
        self._mounted = await asyncio.to_thread(self._mount)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._mounted:
            await asyncio.to_thread(_run, "umount", "--lazy", str(self.folder))

    def fill(self, worker: int) -> None:
        """Leave no room; without a mount, for this process."""
        if not self._mounted:
            self._worker = worker
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (_FEW_PAGES, resource.RLIM_INFINITY))
            return
        with contextlib.suppress(OSError), self._ballast.open("wb", buffering=0) as file:
            piece = _MIB
            while piece:  # to the last byte: what does not fit is tried in smaller pieces
                try:
                    file.write(piece)
                except OSError:
                    piece = piece[: len(piece) // 2]

    def free(self) -> None:
        """Make room again."""
        if self._worker is not None:
            limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(self._worker, resource.RLIMIT_FSIZE, limit)
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def _mount(self) -> bool:
        how = ("-t", "tmpfs", "-o", f"size={_SIZE},mode=0700", "fanout-test", str(self.folder))
        return sys.platform == "linux" and _run("mount", *how)


def _run(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
