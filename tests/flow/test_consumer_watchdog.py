"""The watchdog: not ready at once, and the worker ends itself after two minutes of silence."""

import asyncio
from dataclasses import dataclass, field

from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.flow.fact import ConsumptionSilent, Fact
from disconnect_fanout.flow.outage import BrokerUnreachable
from disconnect_fanout.flow.supervision.consumer_watchdog import PERIOD_S, ConsumerWatchdog
from disconnect_fanout.policy.faults.silence import LONGEST_SILENCE_S


@dataclass
class Scene:
    """A consumer and its queue, as the watchdog sees them."""

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

    def watchdog(self) -> ConsumerWatchdog:
        clock = asyncio.get_running_loop().time
        return ConsumerWatchdog(
            self, self, clock=clock, database_away=lambda: self.away, observe=self.facts.append
        )


def test_a_deaf_worker_says_so_and_ends_after_two_minutes() -> None:
    """The silence is told once when it is found and once when it is given up."""

    async def story() -> None:
        scene = Scene(ready=5)
        watchdog = scene.watchdog()
        run = asyncio.create_task(watchdog.run())
        await pass_time(2.5 * PERIOD_S)
        assert watchdog.problem == "messages wait at the broker, and none comes"
        assert scene.facts == [ConsumptionSilent(watchdog.problem)]
        await pass_time(LONGEST_SILENCE_S - PERIOD_S)
        assert not run.done()
        await pass_time(PERIOD_S)
        assert run.done()
        assert scene.facts[1:] == [ConsumptionSilent(watchdog.problem, given_up=True)]

    in_virtual_time(story())


def test_a_worker_that_hears_again_stays() -> None:
    """It says that, too."""

    async def story() -> None:
        scene = Scene(attached=False)
        watchdog = scene.watchdog()
        run = asyncio.create_task(watchdog.run())
        await pass_time(LONGEST_SILENCE_S - PERIOD_S)
        assert watchdog.problem == "the broker answers, but no consumer is attached"
        scene.attached = True
        await pass_time(3 * LONGEST_SILENCE_S)
        assert watchdog.problem is None
        assert scene.facts[1:] == [ConsumptionSilent(None)]
        assert not run.done()
        run.cancel()

    in_virtual_time(story())


def test_an_outage_ends_nobody() -> None:
    """A broker that is away for days is waited for: a restart could not do more."""

    async def story() -> None:
        scene = Scene(attached=False, ready=None)
        run = asyncio.create_task(scene.watchdog().run())
        await pass_time(2 * 86400)
        assert not run.done()
        assert scene.facts == []
        run.cancel()

    in_virtual_time(story())
