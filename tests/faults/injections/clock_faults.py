"""Faults of the wall clock: it jumps by an hour, for the worker and for what it asks of SQLite.

The launcher moves the clock as the worker reads it: its own, and the database's inside the
worker's statements. Not moved: the clocks of the broker, of the platforms, and the monotonic one.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.faults.platform import GOOD
from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.servers.answer import Step
from tests.harness.servers.received import Received

_HALF_S = 1800


@dataclass
class Jumps(Fault):
    """The clock jumps once, in the middle of the load, with retries and leases under way.

    A jump back lets what waits for its turn wait an hour longer; nothing else may come of it. So
    the clock is put right in the end.

    Args:
        to_s: seconds.
        from_s: how wrong it is before.
    """

    from_s: int
    to_s: int

    async def prepare(self, scene: Scene) -> None:
        _clock(scene).write_text(str(self.from_s))
        scene.worker_settings["FAULT_CLOCK"] = str(_clock(scene))
        for one in scene.platforms:
            one.strict = False  # a platform would refuse a signature of another hour
            one.behaviour = _every_fourth_fails

    async def bite(self, scene: Scene) -> str:
        await scene.told(0.3)
        _clock(scene).write_text(str(self.to_s))
        jump = self.to_s - self.from_s
        await scene.becomes(lambda: _jumps(scene, jump) > 0, "a signature of another hour")
        if self.to_s < self.from_s:
            await scene.becomes(
                lambda: len(scene.upstream.confirmed) == len(scene.ids), "all is published"
            )
            await scene.all_heard()
            pending = (await scene.books_of.rest()).pending
            _clock(scene).write_text(str(self.from_s))
            return f"signatures jumped by {jump} s; {pending} retries waited until it was right"
        return f"signatures jumped by {jump} s"


def _every_fourth_fails(request: Received) -> Step:
    """Refuse each fourth request: by the number, so that retries go through."""
    return 500 if request.number % 4 == 0 else GOOD


def _clock(scene: Scene) -> Path:
    return scene.folder / "clock"


def _jumps(scene: Scene, by_s: int) -> int:
    """Count the jumps from one request's signature to the next one's."""
    stamps = [int(one.headers["webhook-timestamp"]) for one in scene.platforms[0].requests]
    steps = [later - earlier for earlier, later in pairwise(stamps)]
    return sum(step > _HALF_S if by_s > 0 else step < -_HALF_S for step in steps)
