"""Running ``fanout`` commands, and reading what they say."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FANOUT = Path(sys.executable).parent / "fanout"


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command left behind.

    Attributes:
        exit_code: Negative if a signal ended it.
        stdout: The data.
        stderr: Progress and errors.
    """

    exit_code: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        """Parse stdout; the assertion shows stderr if the command failed."""
        assert self.exit_code == 0, f"exit code {self.exit_code}: {self.stderr}"
        return json.loads(self.stdout)


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with ``settings`` in place of its own ``FANOUT_*``."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("FANOUT_")}
    return {**own, "NO_COLOR": "1", **settings}


async def fanout(
    settings: Mapping[str, str],
    *args: str,
    folder: Path,
    stdin: str | None = None,
    within: float = 60.0,
) -> CommandResult:
    """Run ``fanout *args`` to its end, in ``folder``, without a terminal.

    Args:
        settings: The ``FANOUT_*`` variables; those of this process do not leak in.
        args: The command line.
        folder: The working directory, where a ``.env`` and a relative SQLite path would be.
        stdin: Text to give it; without any, its input is closed.
        within: Seconds after which it is killed.

    Raises:
        TimeoutError: It did not end.
    """
    process = await asyncio.create_subprocess_exec(
        FANOUT,
        *args,
        env=environment(settings),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(within):
            out, err = await process.communicate(None if stdin is None else stdin.encode())
    except BaseException:
        process.kill()
        await process.communicate()
        raise
    return CommandResult(process.returncode or 0, out.decode(), err.decode())
