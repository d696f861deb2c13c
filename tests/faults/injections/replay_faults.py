"""Faults of a replay: whoever runs it is killed halfway."""

from dataclasses import dataclass

from tests.faults.platform import GOOD
from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.servers.answer import Answer
from tests.harness.worker.replay_scene import command, job_becomes, job_named, told, told_more_than


@dataclass
class KilledHalfway(Fault):
    """Everything dies first; then the replay of it all loses its command, and its worker twice.

    Args:
        rate: of the replay.
    """

    rate: str = "50/s"

    async def prepare(self, scene: Scene) -> None:
        for one in scene.platforms:
            one.behaviour = Answer(status=500)

    async def bite(self, scene: Scene) -> str:
        all_of_it = len(scene.ids) * len(scene.platforms)
        await scene.installation.settled("dead", all_of_it, within=60)
        await scene.installation.depth_becomes("dead", all_of_it)
        died_with = len(scene.platforms[0].requests)
        for one in scene.platforms:
            one.behaviour = GOOD
        how = ("dlq", "replay", "--all", "--yes", "--rate", self.rate)
        async with command(scene.installation, *how) as replay:
            job = await job_named(replay)
            await scene.platforms[0].receiver.received(died_with + len(scene.ids) // 10)
            replay.kill()
            await replay.wait()
        reached: list[int] = []
        for share in (0.3, 0.5):
            target = died_with + round(share * len(scene.ids))
            await scene.platforms[0].receiver.received(target, within=30)
            # What was received is not recorded yet, and a worker that records nothing new
            # between two kills was killed once.
            await told_more_than(max([0, *reached]), scene.installation, job)
            await scene.worker.sigkill()
            await scene.forgets()
            reached.append(await told(scene.installation, job))
            await scene.worker.start()
        assert 0 < reached[0] < reached[1] < all_of_it, f"killed at {reached} of {all_of_it}"
        await job_becomes(scene.installation, job, "done")
        return f"command killed; worker killed at {reached[0]} and {reached[1]} of {all_of_it}"
