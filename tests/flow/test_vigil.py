"""The watchman: not ready at once, and the worker ends itself after two minutes of silence."""

import asyncio
from dataclasses import dataclass, field

from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.flow.fact import ConsumptionSilent, Fact
from disconnect_fanout.flow.outage import BrokerUnreachable
from disconnect_fanout.flow.vigil import PERIOD_S, Watchman
from disconnect_fanout.policy.vigil import PATIENCE_S


@dataclass
class Scene:
    """A consumer and its queue, as the watchman sees them."""

    wanted: bool = True
    attached: bool = True
    taken: int = 0
    ready: int | None = 0
    away: bool = False
    facts: list[Fact] = field(default_factory=list)

    async def depth(self) -> int:
        if self.ready is None:
            raise BrokerUnreachable("away")
        return self.ready

    def watchman(self) -> Watchman:
        clock = asyncio.get_running_loop().time
        return Watchman(
            self, self, clock=clock, database_away=lambda: self.away, observe=self.facts.append
        )


def test_a_deaf_worker_says_so_and_ends_after_two_minutes() -> None:
    """The silence is told once when it is found and once when it is given up."""

    async def story() -> None:
        scene = Scene(ready=5)
        watchman = scene.watchman()
        run = asyncio.create_task(watchman.run())
        await pass_time(2.5 * PERIOD_S)
        assert watchman.problem == "messages wait at the broker, and none comes"
        assert scene.facts == [ConsumptionSilent(watchman.problem)]
        await pass_time(PATIENCE_S - PERIOD_S)
        assert not run.done()
        await pass_time(PERIOD_S)
        assert run.done()
        assert scene.facts[1:] == [ConsumptionSilent(watchman.problem, given_up=True)]

    in_virtual_time(story())


def test_a_worker_that_hears_again_stays() -> None:
    """It says that, too."""

    async def story() -> None:
        scene = Scene(attached=False)
        watchman = scene.watchman()
        run = asyncio.create_task(watchman.run())
        await pass_time(PATIENCE_S - PERIOD_S)
        assert watchman.problem == "the broker answers, but no consumer is attached"
        scene.attached = True
        await pass_time(3 * PATIENCE_S)
        assert watchman.problem is None
        assert scene.facts[1:] == [ConsumptionSilent(None)]
        assert not run.done()
        run.cancel()

    in_virtual_time(story())


def test_an_outage_ends_nobody() -> None:
    """A broker that is away for days is waited for: a restart could not do more."""

    async def story() -> None:
        scene = Scene(attached=False, ready=None)
        run = asyncio.create_task(scene.watchman().run())
        await pass_time(2 * 86400)
        assert not run.done()
        assert scene.facts == []
        run.cancel()

    in_virtual_time(story())
