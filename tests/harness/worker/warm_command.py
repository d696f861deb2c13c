"""``fanout`` commands in processes of their own, forked from one that has imported everything.

Python takes most of a second to import what a command needs, and the suite runs a thousand of
them. Here each still has its own process, arguments, environment, folder and standard streams;
only the imports are shared. What is special about a start is tested with the installed program.
"""

import asyncio
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from tests.harness.worker.command import CommandResult, environment

import disconnect_fanout.cli as commands
from disconnect_fanout.cli.main import main

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])
for _command in walk_packages(commands.__path__, f"{commands.__name__}."):
    import_module(_command.name)


async def fanout(
    settings: Mapping[str, str],
    *args: str,
    folder: Path,
    stdin: str | None = None,
    within: float = 60.0,
) -> CommandResult:
    """Run ``fanout *args``; see ``tests.harness.worker.command.fanout``.

    Raises:
        TimeoutError: It did not end.
    """
    with tempfile.TemporaryDirectory(prefix="fanout-command-") as kept:
        streams = [Path(kept) / name for name in ("stdin", "stdout", "stderr")]
        streams[0].write_text(stdin or "")
        process = _PROCESSES.Process(
            target=_become, args=(args, environment(settings), folder, streams)
        )
        process.start()
        try:
            await asyncio.to_thread(process.join, within)
            if process.exitcode is None:
                raise TimeoutError(f"fanout {' '.join(args)} did not end within {within:g} s")
        finally:
            process.kill()
            process.join()
        return CommandResult(process.exitcode, streams[1].read_text(), streams[2].read_text())


def _become(
    args: Sequence[str], env: Mapping[str, str], folder: Path, streams: Sequence[Path]
) -> None:
    """Turn this process into the command."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    for number, path in enumerate(streams):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.argv = ["fanout", *args]
    sys.exit(main(args))
