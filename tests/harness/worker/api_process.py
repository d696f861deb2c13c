"""A real API: ``fanout api`` as a child process, asked over a real socket."""

import asyncio
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import aiohttp
import orjson
from tests.harness.worker.command import FANOUT, environment
from yarl import URL

from disconnect_fanout.demo.child_process import ChildProcess, free_ports
from disconnect_fanout.demo.process_reaper import ProcessReaper


@dataclass(frozen=True, slots=True)
class Told:
    """One answer.

    Attributes:
        text: The body as it came.
    """

    status: int
    text: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        """Parse it."""
        return orjson.loads(self.text)


class ApiProcess:
    """One API, from start to its end; it may be started again.

    Args:
        settings: Its ``FANOUT_*`` variables; the port is chosen here.
        folder: Its working directory, where ``api.stderr`` is written.
    """

    def __init__(self, settings: Mapping[str, str], folder: Path) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self.settings = {**settings, "FANOUT_API_PORT": str(port)}
        self._err = folder / "api.stderr"
        self._up = asyncio.Event()
        self._reaper = ProcessReaper()
        self._child = ChildProcess(
            [str(FANOUT), "api"],
            env=environment(self.settings),
            log=self._err,
            stdout=folder / "api.stdout",
            reaper=self._reaper,
        )

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def stderr(self) -> str:
        """What it has logged so far, over all its starts."""
        return self._err.read_text(errors="replace")

    async def start(self) -> None:
        """Start it, and return when ``/readyz`` answers 200."""
        self._child.start()

        async def is_ready() -> bool:
            try:
                return (await self.ask("GET", "/readyz")).status == HTTPStatus.OK
            except aiohttp.ClientError:
                return False

        await self._child.wait_until(is_ready, within=30)
        self._up.set()

    async def up(self) -> None:
        """Wait until it serves again."""
        await self._up.wait()

    async def crash_and_start(self) -> None:
        """Kill it, and start it as a supervisor would."""
        self._up.clear()
        await self.sigkill()
        await self.start()

    async def readyz_says(self, words: str, *, within: float = 10.0) -> str:
        """Wait until ``/readyz`` says so; return all that it says.

        Raises:
            AssertionError: It did not, all the time.
        """
        deadline = time.monotonic() + within
        while words not in (said := (await self.ask("GET", "/readyz")).text.decode()):
            assert time.monotonic() < deadline, said
            await asyncio.sleep(0.05)
        return said

    async def ask(
        self,
        method: str,
        path: str,
        *headers: tuple[str, str],
        body: bytes | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> Told:
        """Send one request; the path goes over the wire as it is written."""
        if session is None:
            async with aiohttp.ClientSession() as own:
                return await self.ask(method, path, *headers, body=body, session=own)
        url = URL(self.url + path, encoded=True)
        async with session.request(
            method, url, headers=headers, data=body and BytesIO(body), allow_redirects=False
        ) as response:
            return Told(response.status, await response.read(), dict(response.headers))

    async def sigkill(self) -> None:
        """Kill it, and return when it is gone."""
        await self._child.kill()

    async def sigterm(self, *, within: float = 30.0) -> int:
        """Ask it to leave; return its exit code."""
        self._child.send(signal.SIGTERM)
        return await self._child.wait(within=within)

    async def close(self) -> None:
        """Kill it if it still runs."""
        try:
            await self._child.kill()
        finally:
            self._reaper.close()


async def raw(api: ApiProcess, request: bytes) -> bytes:
    """Send bytes that no client would, and return what comes back."""
    host, _, port = api.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        await writer.drain()
        async with asyncio.timeout(10):
            return await reader.read(65536)
    finally:
        writer.close()
