"""Looking for what a private server may have left on this machine."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path


def processes_of(folder: Path) -> list[str]:
    """The living processes that run in this folder or were started for it; zombies have neither."""
    if sys.platform == "darwin":
        listed = subprocess.check_output(["/bin/ps", "-A", "-ww", "-E"], text=True)
        return [line for line in listed.splitlines() if str(folder) in line]
    return [process.name for process in Path("/proc").glob("[0-9]*") if _is_of(process, folder)]


async def gone(*folders: Path, within: float = 10.0) -> None:
    """Wait until nothing runs for these folders, nor are they there.

    Raises:
        AssertionError: Something stays.
    """
    left = list(folders)
    try:
        async with asyncio.timeout(within):
            # Whoever could have told us when is dead.
            while left := [at for at in left if at.exists() or processes_of(at)]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError:
        stays = {str(at): processes_of(at) for at in left}
        raise AssertionError(f"still there after {within:g} s: {stays}") from None


def _is_of(process: Path, folder: Path) -> bool:
    try:
        where = str((process / "cwd").readlink())
        return str(folder) in where or os.fsencode(folder) in (process / "environ").read_bytes()
    except OSError:  # it is gone
        return False
