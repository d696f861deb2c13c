"""A real worker: ``fanout run`` as a child process."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Self

import aiohttp
from tests.harness.worker.command import FANOUT, CommandResult, environment
from tests.harness.worker.metrics import Metrics
from tests.harness.worker.warm_command import fanout

from disconnect_fanout.demo.child_process import ChildProcess, free_ports
from disconnect_fanout.demo.process_reaper import ProcessReaper


class WorkerProcess:
    """One worker, from start to its end; it may be started again, as a supervisor would.

    Args:
        settings: Its ``FANOUT_*`` variables; the HTTP port is chosen here unless it is given.
        folder: Its working directory; ``NAME.stdout`` and ``NAME.stderr`` are written there.
        name: Tells two workers in one folder apart.
        program: What to start instead of ``fanout run``.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        folder: Path,
        *,
        name: str = "worker",
        program: Sequence[str] = (str(FANOUT), "run"),
    ) -> None:
        (port,) = free_ports(1)
        self.settings = {"FANOUT_HTTP_PORT": str(port), **settings}
        self.folder = folder
        self._out, self._err = folder / f"{name}.stdout", folder / f"{name}.stderr"
        self._reaper = ProcessReaper()
        self._child = ChildProcess(
            program,
            env=environment(self.settings),
            log=self._err,
            stdout=self._out,
            reaper=self._reaper,
        )

    @property
    def http_url(self) -> str:
        """Where it serves ``/livez``, ``/readyz`` and ``/metrics``."""
        return f"http://127.0.0.1:{self.settings['FANOUT_HTTP_PORT']}"

    @property
    def stdout(self) -> str:
        """What it has printed so far, over all its starts."""
        return self._out.read_text(errors="replace")

    @property
    def stderr(self) -> str:
        """What it has logged so far, over all its starts."""
        return self._err.read_text(errors="replace")

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self, *, ready_within: float | None = 30.0) -> None:
        """Start it, and return when ``/readyz`` answers 200.

        Args:
            ready_within: Seconds to wait for that; None does not wait at all.

        Raises:
            ChildFailedError: It ended or was not ready in time; the message has its log's end.
        """
        self._child.start()
        if ready_within is not None:
            await self.ready(within=ready_within)

    async def ready(self, *, within: float = 30.0) -> None:
        """Wait until ``/readyz`` answers 200."""

        async def is_ready() -> bool:
            return (await self.readyz())[0] == HTTPStatus.OK

        await self._child.wait_until(is_ready, within=within)

    async def readyz(self) -> tuple[int, str]:
        """Return the status and the text of ``/readyz``; 0 if nobody answers."""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            return await self._get("/readyz")
        return 0, ""

    async def readyz_says(self, words: str, *, within: float = 10.0) -> str:
        """Wait until ``/readyz`` says so; return all that it says.

        Raises:
            AssertionError: It did not, all the time.
        """
        deadline = time.monotonic() + within
        while words not in (said := (await self.readyz())[1]):
            assert time.monotonic() < deadline, said
            await asyncio.sleep(0.05)
        return said

    async def metrics(self) -> Metrics:
        """Scrape ``/metrics``."""
        return Metrics.parse(await self.exposition())

    async def exposition(self) -> str:
        """Return the text of ``/metrics``."""
        return (await self._get("/metrics"))[1]

    async def metric_becomes(
        self, name: str, value: float, *, within: float = 10.0, **labels: str
    ) -> None:
        """Wait until a metric, summed over what ``labels`` leave open, is at least ``value``.

        Raises:
            AssertionError: It was less all the time.
        """
        deadline = time.monotonic() + within
        while (found := (await self.metrics()).value(name, **labels)) < value:
            assert time.monotonic() < deadline, f"{name} {labels} is {found}, not {value}"
            await asyncio.sleep(0.05)

    async def fanout(self, *args: str, stdin: str | None = None) -> CommandResult:
        """Run a command with this worker's settings."""
        return await fanout(self.settings, *args, folder=self.folder, stdin=stdin)

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child.running

    @property
    def pid(self) -> int:
        """Its process id: the same one as long as nobody has started it anew."""
        return self._child.pid

    @property
    def cpu_s(self) -> float:
        """Seconds of CPU that it has used since its start."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def sigterm(self) -> None:
        """Ask it to drain and leave; ask twice, and it leaves at once."""
        self._child.send(signal.SIGTERM)

    async def sigkill(self) -> None:
        """Kill it, and return when it is gone."""
        await self._child.kill()

    def freeze(self) -> None:
        """Stop its clock (SIGSTOP)."""
        self._child.freeze()

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        self._child.thaw()

    async def wait(self, *, within: float = 60.0) -> int:
        """Return its exit code once it has ended by itself; negative if a signal ended it.

        Raises:
            subprocess.TimeoutExpired: It goes on.
        """
        return await self._child.wait(within=within)

    async def close(self) -> None:
        """Kill it if it still runs. A test that cares how it ends says so before."""
        try:
            await self._child.kill()
        finally:
            self._reaper.close()

    async def _get(self, path: str) -> tuple[int, str]:
        limit = aiohttp.ClientTimeout(total=5)
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.get(self.http_url + path) as response,
        ):
            return response.status, await response.text()
