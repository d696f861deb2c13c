"""Runs a seed and judges it."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.simulation.draw import draw
from tests.simulation.judge import judge
from tests.simulation.process import ProcessLoop
from tests.simulation.scenario import Scenario
from tests.simulation.trace import Trace
from tests.simulation.worker import Mutation
from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a seed.

    Attributes:
        violations: of which invariant, and how.
        trace: what happened, line by line.
        requests: how many reached a platform.
        lasted_s: virtual seconds.
    """

    seed: int
    scenario: Scenario
    violations: tuple[str, ...]
    trace: Trace
    requests: int
    lasted_s: float

    def __str__(self) -> str:
        words = "\n".join(self.violations) or "no violation"
        return f"seed {self.seed}\n{self.scenario}\n{self.trace}\n{words}"


def run(seed: int, mutation: Mutation | None = None) -> Verdict:
    """Run one seed to its end; nothing but the seed, and the mutation, decides what happens."""
    return run_world(draw(seed), mutation)


def run_world(scenario: Scenario, mutation: Mutation | None = None) -> Verdict:
    """Run one scenario to its end."""
    loop = ProcessLoop()
    with _garbage_kept():
        try:
            return loop.run_until_complete(_live(scenario, mutation or Mutation()))
        finally:
            loop.close()


def violations(first: int, count: int) -> list[str]:
    """Run some seeds; return those that failed, each with how to see it again and what it broke."""
    verdicts = (run(seed) for seed in range(first, first + count))
    return [f"SEED={one.seed}: {one.violations[0]}" for one in verdicts if one.violations]


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Collect garbage after a world and not within it: a quarter of the time is spared."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


async def _live(scenario: Scenario, mutation: Mutation) -> Verdict:
    world = World(scenario, mutation)
    await world.live()
    judge(world)
    verdict = Verdict(
        scenario.seed,
        scenario,
        tuple(world.witness.violations),
        world.trace,
        len(world.platforms.requests),
        asyncio.get_running_loop().time(),
    )
    await _end(world)
    return verdict


async def _end(world: World) -> None:
    """Let all tasks come to their end, those of dead processes too."""
    world.bury()
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in others:
            task.cancel()
        await asyncio.wait(others, timeout=1.0)
