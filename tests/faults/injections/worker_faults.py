"""Faults of the worker itself: killed at named points, told to leave, frozen."""

import os
import signal
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial

from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.servers.answer import Answer, Step
from tests.harness.servers.received import Received
from tests.harness.store.outage import lasts

_KILLED = -signal.SIGKILL
_MANY_DUTIES = 7


@dataclass
class KilledAt(Fault):
    """The worker kills itself at a point of its code, and is started again.

    Args:
        point: one of ``fail_point``'s.
        after: passages until then.
        answers: how all platforms answer; a refusal makes dead letters.
    """

    point: str
    after: int = 20
    answers: int = 200

    async def prepare(self, scene: Scene) -> None:
        self.marker = scene.folder / "bitten"
        scene.worker_settings |= {
            "FAULT_POINT": self.point,
            "FAULT_AFTER": str(self.after),
            "FAULT_MARKER": str(self.marker),
        }
        for one in scene.platforms:
            one.behaviour = Answer(status=self.answers, delay=0.02)

    async def bite(self, scene: Scene) -> str:
        code = await scene.worker.wait(within=60)
        assert code == _KILLED, f"it ended with {code}"
        at = self.marker.read_text().strip()
        await scene.forgets()
        await scene.worker.start()
        return f"the worker died of SIGKILL at: {at}"


@dataclass
class KilledOnRequest(Fault):
    """Killed when a platform has the whole request and has not answered yet.

    Args:
        nth: that request of the first platform.
    """

    nth: int = 40
    killed_at: int = 0

    async def prepare(self, scene: Scene) -> None:
        scene.platforms[0].behaviour = partial(self._answer, scene)

    def _answer(self, scene: Scene, request: Received) -> Step:
        if request.number == self.nth:
            os.kill(scene.worker.pid, signal.SIGKILL)
            self.killed_at = request.number
        return Answer(delay=0.02)

    async def bite(self, scene: Scene) -> str:
        code = await scene.worker.wait(within=60)
        assert code == _KILLED, f"it ended with {code}"
        await scene.forgets()
        await scene.worker.start()
        return f"the worker died of SIGKILL when request {self.killed_at} was not answered yet"


@dataclass
class Terminated(Fault):
    """SIGTERM under load: it drains, and its successor goes on.

    Args:
        twice: a second SIGTERM while it drains: it leaves at once.
    """

    twice: bool = False

    async def prepare(self, scene: Scene) -> None:
        if self.twice:
            for one in scene.platforms:
                one.behaviour = Answer(delay=0.5)

    async def bite(self, scene: Scene) -> str:
        await scene.told(0.1)
        drains = scene.worker.stderr.count('"drain.began"')
        scene.worker.sigterm()
        if self.twice:
            await scene.becomes(
                lambda: scene.worker.stderr.count('"drain.began"') > drains, "it drains"
            )
            scene.worker.sigterm()
        code = await scene.worker.wait()
        assert code == (130 if self.twice else 0), f"it ended with {code}"
        if self.twice:
            await scene.forgets()
        told = len(scene.platforms[0].requests)
        assert told < len(scene.ids), "the signal came too late to matter"
        await scene.worker.start()
        return f"it left with exit code {code} when {told} of {len(scene.ids)} had been told"


@dataclass
class Frozen(Fault):
    """SIGSTOP for longer than its leases, while another worker is there to take over.

    Args:
        seconds: the time-out of the platforms is 1 s and the margin of a lease 15 s.
    """

    seconds: float = 25.0

    async def prepare(self, scene: Scene) -> None:
        scene.crew = ["worker", "other"]
        scene.platform_options = ["--timeout", "1s"]
        for one in scene.platforms:
            one.behaviour = Answer(delay=0.2)

    async def bite(self, scene: Scene) -> str:
        _, other = scene.workers
        await scene.told(0.1)
        began = time.monotonic()
        scene.worker.freeze()
        await scene.forgets(since=began - 1.0)
        await lasts(self.seconds)
        taken = other.stderr.count("delivery.reclaimed")
        scene.worker.thaw()
        await scene.worker.ready()
        assert taken, "nothing was taken over"
        return f"frozen for {self.seconds:g} s; the other worker took over {taken} deliveries"


@dataclass
class DutiesRaise(Fault):
    """Duties of the worker meet a bug at instants that a seed decides.

    Args:
        times: over all duties.
        seed: of the instants.
    """

    times: int
    seed: int

    async def prepare(self, scene: Scene) -> None:
        self.marker = scene.folder / "raised"
        scene.worker_settings |= {
            "FAULT_RAISES": str(self.times),
            "FAULT_SEED": str(self.seed),
            "FAULT_MARKER": str(self.marker),
        }

    async def bite(self, scene: Scene) -> str:
        pid = scene.worker.pid
        await scene.becomes(
            lambda: len(self._raised()) >= self.times, "they raise so often", within=120
        )
        assert scene.worker.pid == pid, "the worker ended"
        counted = Counter(self._raised())
        assert len(counted) >= _MANY_DUTIES, f"only {sorted(counted)} raised"
        return ", ".join(f"{name} {count}" for name, count in sorted(counted.items()))

    def _raised(self) -> list[str]:
        return self.marker.read_text().splitlines() if self.marker.exists() else []
