"""Faults of platforms and their gateways that say what nobody asked for."""

from contextlib import suppress
from dataclasses import dataclass, field

from tests.faults.platform import GOOD
from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.servers.answer import Answer, Step
from tests.harness.servers.received import Received

_GONE = b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


@dataclass
class SpeaksUnasked(Fault):
    """Says 410 on every kept connection while no request is under way.

    The platform is paused meanwhile: what is said in the moment in which a request leaves is its
    answer to everybody who speaks HTTP/1.1.
    """

    async def prepare(self, scene: Scene) -> None:
        """The platform is well."""

    async def bite(self, scene: Scene) -> str:
        platform = scene.platforms[0]
        await scene.told(0.1)
        await scene.installation.fanout("platforms", "pause", platform.name)
        await _is_idle(platform.receiver.requests, scene)
        said = platform.receiver.speak(_GONE)
        assert said, "no connection was kept"
        heard = len(platform.requests)
        await scene.becomes(lambda: not platform.receiver.connections, "they are ended")
        await scene.installation.fanout("platforms", "resume", platform.name)
        await scene.becomes(lambda: len(platform.requests) == len(scene.ids), "all is told")
        shown = await scene.installation.ask("platforms", "show", platform.name)
        assert shown["state"] == "active", shown
        return f"410 said on {said} kept connections after {heard} requests; all were ended"


async def _is_idle(requests: list[Received], scene: Scene) -> None:
    """Wait until none came for a second."""
    receiver = scene.platforms[0].receiver
    idle = False
    while not idle:
        with suppress(AssertionError):
            await receiver.stays_at(len(requests), during=1.0)
            idle = True


@dataclass
class AnswersLate(Fault):
    """A gateway's 504, and behind it the 200 that it did not wait for.

    Args:
        times: so many, at the first platform.
    """

    times: int = 30
    given: int = field(default=0)

    async def prepare(self, scene: Scene) -> None:
        scene.platforms[0].behaviour = self._answer

    def _answer(self, _request: Received) -> Step:
        self.given += 1
        return Answer(status=504, late=_OK) if self.given <= self.times else GOOD

    async def bite(self, scene: Scene) -> str:
        platform = scene.platforms[0]
        await scene.becomes(lambda: self.given >= self.times, "all 504 are given")
        await scene.worker.metric_becomes(
            "fanout_delivery_attempts_total",
            self.times,
            within=40,
            platform=platform.name,
            result="refused",
        )
        late = platform.receiver.late
        assert late > self.times / 2, f"only {late} late answers were said"
        return f"{self.times} times 504, {late} with a 200 behind it; all counted as refused"
