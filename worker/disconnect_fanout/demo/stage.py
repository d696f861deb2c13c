"""The stage: an empty folder with a database of its own, a worker, and the command line."""

import asyncio
import os
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

import orjson

from disconnect_fanout.adapters.broker.topology import Topology
from disconnect_fanout.adapters.crypto.vault import new_key
from disconnect_fanout.demo.child_process import ChildProcess, free_ports
from disconnect_fanout.demo.process_reaper import ProcessReaper

# Without this the standard library would ask a proxy of the environment for this machine's port.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_FANOUT = str(Path(sys.executable).with_name("fanout"))


class StepFailed(Exception):
    """Something that the story promises did not happen; says what."""


class Stage:
    """Runs ``fanout`` as a user would, on a configuration that touches nothing of theirs.

    Args:
        folder: empty; its owner removes it.
        amqp_url: the broker.
        reaper: what ends the worker when we are killed.
    """

    def __init__(self, folder: Path, amqp_url: str, reaper: ProcessReaper) -> None:
        self._folder = folder
        self.topology = Topology(
            f"calendar.events.demo-{os.getpid()}", f"fanout-demo-{os.getpid()}"
        )
        (self._port,) = free_ports(1)
        ours = {name: value for name, value in os.environ.items() if not _foreign(name)}
        self._environment = {
            **ours,
            "FANOUT_AMQP_URL": amqp_url,
            "FANOUT_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'fanout.db'}",
            "FANOUT_SECRET_KEY": new_key(),
            "FANOUT_PREFIX": self.topology.prefix,
            "FANOUT_EXCHANGE": self.topology.exchange,
            "FANOUT_RETRY_SCHEDULE": "1s,1s",
            "FANOUT_ALLOW_HTTP": "true",
            "FANOUT_ALLOW_NETWORKS": "127.0.0.0/8",
            "FANOUT_HTTP_PORT": str(self._port),
        }
        self._worker = ChildProcess(
            [_FANOUT, "run"],
            env=self._environment,
            log=folder / "worker.log",
            reaper=reaper,
        )

    async def __aenter__(self) -> Self:
        """Set up the database and the broker's queues."""
        await self.fanout("migrate")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave no worker behind."""
        await self._worker.stop()

    async def fanout(self, *args: str) -> Any:  # noqa: ANN401 - JSON is what it is
        """Run a command; return what it printed.

        Raises:
            StepFailed: it exited non-zero.
        """
        process = await asyncio.create_subprocess_exec(
            _FANOUT,
            *args,
            "-o",
            "json",
            env=self._environment,
            cwd=self._folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        if process.returncode:
            raise StepFailed(f"fanout {' '.join(args)}: {err.decode().strip()}")
        return orjson.loads(out) if out.strip() else None

    async def start_worker(self) -> None:
        """Start ``fanout run`` and wait until it is ready."""
        self._worker.start()
        await self._worker.wait_until(self._ready, within=30)

    async def stop_worker(self) -> int:
        """Ask the worker to drain; return its exit code."""
        self._worker.send(signal.SIGTERM)
        return await self._worker.wait(within=40)

    async def metrics(self) -> str:
        """Return what Prometheus would scrape."""
        return await asyncio.to_thread(self._get, "/metrics")

    async def _ready(self) -> bool:
        try:
            await asyncio.to_thread(self._get, "/readyz")
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _get(self, path: str) -> str:
        with _DIRECT.open(f"http://127.0.0.1:{self._port}{path}", timeout=5) as answer:
            text: bytes = answer.read()
        return text.decode()


def _foreign(name: str) -> bool:
    """A user's own configuration must not steer the demo."""
    return name.startswith("FANOUT_")
