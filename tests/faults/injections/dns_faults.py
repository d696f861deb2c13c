"""Faults of name resolution, as the worker's HTTP client sees it."""

import asyncio
import json
import time
from dataclasses import dataclass

from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.servers.answer import Answer
from tests.harness.servers.name_server import NameServer, Odd

_HOST = "platforms.test"
_HERE, _THERE = "127.0.0.1", "::1"


@dataclass
class NameFails(Fault):
    """The name does not resolve for a while, then it does."""

    failures: int = 10

    async def prepare(self, scene: Scene) -> None:
        _resolve(scene, [])

    async def bite(self, scene: Scene) -> str:
        await scene.becomes(lambda: _looked_up(scene, "fails") >= self.failures, "look-ups fail")
        await scene.worker.metric_becomes(
            "fanout_delivery_attempts_total", self.failures, result="unreachable"
        )
        failed = _looked_up(scene, "fails")
        _resolve(scene, [_HERE])
        return f"{failed} look-ups failed; as many attempts are counted as unreachable"


@dataclass
class NameIsSlow(Fault):
    """Each look-up takes long, but not as long as the time-out."""

    delay_s: float = 2.0

    async def prepare(self, scene: Scene) -> None:
        scene.platform_options = ["--timeout", "5s"]
        _resolve(scene, [_HERE], self.delay_s)

    async def bite(self, scene: Scene) -> str:
        first, *_ = await scene.platforms[0].receiver.received(1, within=30)
        waited = first.at - scene.published_at
        assert waited >= self.delay_s, f"the first request came after {waited:.1f} s"
        count = _looked_up(scene, _HERE)
        return (
            f"{count} look-ups of {self.delay_s:g} s; the first request came {waited:.1f} s "
            "after the first event"
        )


@dataclass
class NameChanges(Fault):
    """The platforms move to another address: the name leads there, and the old one is dead."""

    async def prepare(self, scene: Scene) -> None:
        _resolve(scene, [_HERE])

    async def bite(self, scene: Scene) -> str:
        await scene.told(0.2)
        old = [one.receiver for one in scene.platforms]
        new = [one.move(_THERE) for one in scene.platforms]
        for receiver in new:
            await scene.listen(receiver)
        _resolve(scene, [_THERE])
        await asyncio.gather(*(receiver.stop() for receiver in old))
        there = [await receiver.received(1, within=40) for receiver in new]
        assert all(there)
        here, lookups = sum(len(one.requests) for one in old), _looked_up(scene, _THERE)
        return f"{here} requests at the old address; then {lookups} look-ups led to the new one"


@dataclass
class ServersSilent(Fault):
    """The name servers of all platforms but the first few say nothing, until everybody else knows.

    The healthy ones close each connection, so that each telling needs a look-up of its own.
    """

    healthy: int = 3
    within_s: float = 3.0  # with a pool of 32 look-ups it takes 8 s (measured)

    async def prepare(self, scene: Scene) -> None:
        scene.hosts = {one.name: f"{one.name}.test" for one in scene.platforms}
        self._healthy = scene.platforms[: self.healthy]
        self._silent = [scene.hosts[one.name] for one in scene.platforms[self.healthy :]]
        for one in self._healthy:
            one.behaviour = Answer(headers={"Connection": "close"})
        known = {scene.hosts[one.name]: [_HERE] for one in self._healthy}
        silent = dict.fromkeys(self._silent, Odd.SILENT)
        self._server = NameServer({**known, **silent}, ttl=0)
        await scene.stack.enter_async_context(self._server)
        scene.worker_settings["FAULT_NAME_SERVER"] = self._server.address

    async def bite(self, scene: Scene) -> str:
        await scene.becomes(self._all_asked, "the silent servers are asked for every name")
        began = time.monotonic()
        for one in self._healthy:
            await one.receiver.received(len(scene.ids), within=60)
        late = max(self._lateness(scene))
        assert late < self.within_s, f"a healthy platform was told after {late:.2f} s"
        lasted, asked = time.monotonic() - began, len(self._silent)
        for host in self._silent:
            self._server.names[host] = [_HERE]
        return (
            f"the servers of {asked} names said nothing for {lasted:.1f} s more, while the healthy "
            f"were told after {late:.2f} s at most"
        )

    def _all_asked(self) -> bool:
        return all(self._server.questions[host] for host in self._silent)

    def _lateness(self, scene: Scene) -> list[float]:
        """Return how long after its publishing each healthy platform was told of each event."""
        return [
            request.at - scene.upstream.published_at[scene.names[request.webhook_id].event_id]
            for one in self._healthy
            for request in one.requests
        ]


def _resolve(scene: Scene, addresses: list[str], delay_s: float = 0.0) -> None:
    """Say what the platforms' name means from now on."""
    scene.host = _HOST
    file = scene.folder / "names.json"
    scene.worker_settings["FAULT_NAMES"] = str(file)
    text = json.dumps({_HOST: {"addresses": addresses, "delay_s": delay_s}})
    new = file.with_suffix(".new")
    new.write_text(text)
    new.rename(file)


def _looked_up(scene: Scene, answer: str) -> int:
    log = scene.folder / "names.log"
    return log.read_text().count(f"{_HOST} {answer}\n") if log.exists() else 0
