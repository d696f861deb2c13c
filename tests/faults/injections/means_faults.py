"""Faults of the machine's means: descriptors taken by strangers, or none left at all."""

import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.servers.answer import Answer
from tests.harness.servers.slow_clients import HALF_A_BODY, HALF_A_HEAD, SlowClients
from tests.harness.store.outage import lasts
from tests.harness.worker.metrics import Metrics
from tests.harness.worker.process import WorkerProcess

_Look = Callable[[str], Awaitable[tuple[int, str]]]
_NO_MORE = 8
"""All below it are taken since the start; so none is free."""


@dataclass
class HalfSentRequests(Fault):
    """Strangers open more connections to the metrics port than the worker may have descriptors.

    Args:
        clients: how many, half of them with half a head and half with half a body.
        descriptors: how many the worker may have.
    """

    clients: int = 500
    descriptors: int = 300

    async def prepare(self, scene: Scene) -> None:
        scene.worker_settings["FAULT_DESCRIPTORS"] = str(self.descriptors)
        for one in scene.platforms:
            one.behaviour = Answer(headers={"connection": "close"}, delay=0.02)

    async def bite(self, scene: Scene) -> str:
        await scene.told(0.05)
        async with SlowClients(int(scene.worker.settings["FANOUT_HTTP_PORT"])) as strangers:
            for said in (HALF_A_HEAD, HALF_A_BODY):
                await strangers.send(said, self.clients // 2)
            before = len(scene.platforms[0].requests)
            assert before < len(scene.ids), "everything was told before the strangers came"
            held = _descriptors(scene.worker)
            began = time.monotonic()
            status, _ = await scene.worker.readyz()
            took_s = time.monotonic() - began
            assert status == 200, f"/readyz says {status}"
            assert took_s < 2, f"/readyz took {took_s:.1f} s"
            await scene.all_heard()
        booked = (await scene.worker.metrics()).value(
            "fanout_delivery_attempts_total", result="unreachable"
        )
        assert not booked, f"{booked:g} attempts were booked on platforms"
        return (
            f"{self.clients} strangers; the worker held {held} descriptors of {self.descriptors}, "
            f"answered /readyz within {took_s:.2f} s, and booked nothing on a platform"
        )


@dataclass
class NoDescriptors(Fault):
    """The worker's process gets no more descriptors for a while: no socket, no file.

    Args:
        seconds: how long.
    """

    seconds: float = 4.0

    async def prepare(self, scene: Scene) -> None:
        for one in scene.platforms:
            one.behaviour = Answer(headers={"connection": "close"}, delay=0.02)

    async def bite(self, scene: Scene) -> str:
        await scene.told(0.05)
        async with _kept(scene.worker) as look:
            before = resource.prlimit(scene.worker.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(scene.worker.pid, resource.RLIMIT_NOFILE, (_NO_MORE, before[1]))
            try:
                await lasts(self.seconds)
                _, readyz = await look("/readyz")
            finally:
                resource.prlimit(scene.worker.pid, resource.RLIMIT_NOFILE, before)
            _, text = await look("/metrics")
        metrics = Metrics.parse(text)
        back = metrics.value("fanout_attempts_given_back_total", why="descriptors")
        booked = metrics.value("fanout_delivery_attempts_total", result="unreachable")
        assert back, "no request was kept from being made"
        assert not booked, f"{booked:g} attempts were booked on platforms"
        assert "out of file descriptors" in readyz, readyz
        lines = scene.worker.stderr.count("out of file descriptors")
        assert 1 <= lines <= 2, f"{lines} lines in the log"
        return f"{back:g} deliveries given back, none booked; /readyz: {readyz.strip()}"


def _descriptors(worker: WorkerProcess) -> int:
    return len(list(Path(f"/proc/{worker.pid}/fd").iterdir()))


@asynccontextmanager
async def _kept(worker: WorkerProcess) -> AsyncIterator[_Look]:
    """A scraper whose connection was there before: it needs no descriptor of the worker's."""
    async with aiohttp.ClientSession(worker.http_url) as session:

        async def look(path: str) -> tuple[int, str]:
            async with session.get(path) as response:
                return response.status, await response.text()

        await look("/livez")
        yield look
