"""Housekeeping: one worker at a time, a batch, a pause, a batch; the rest of the time nothing."""

import asyncio
from dataclasses import dataclass, field

from tests.harness.fakes.operator_store import FakeLeaderLease
from tests.harness.flow.stage import LoopTables
from tests.harness.flow.virtual_time import in_virtual_time, pass_time

from disconnect_fanout.flow.fact import DutyFailed, Fact, PeriodicJobDone
from disconnect_fanout.flow.housekeeping import Housekeeping
from disconnect_fanout.flow.outage import StoreUnreachable

EVERY_S = 100.0


@dataclass
class Sweeping:
    """A chore with so much to do, which notes when it did some of it."""

    left: int = 0
    reachable: bool = True
    at: list[float] = field(default_factory=list)

    async def do_some(self) -> int:
        if not self.reachable:
            raise StoreUnreachable("away")
        done = min(self.left, 10)
        self.left -= done
        if done:
            self.at.append(asyncio.get_running_loop().time())
        return done


def keeping(tables: LoopTables, chore: Sweeping, worker: str, facts: list[Fact]) -> Housekeeping:
    return Housekeeping(
        "sweeping", chore, every_s=EVERY_S, leader_lease=FakeLeaderLease(tables), worker=worker,
        observe=facts.append,
    )  # fmt: skip


def test_a_chore_is_done_to_its_end_with_pauses() -> None:
    """Others have their turn between two batches; what was done is told once."""

    async def story() -> None:
        facts: list[Fact] = []
        chore = Sweeping(left=35)
        run = asyncio.create_task(keeping(LoopTables(), chore, "a", facts).run())
        await pass_time(EVERY_S / 2)
        gaps = {round(b - a, 3) for a, b in zip(chore.at, chore.at[1:], strict=False)}
        assert (chore.left, gaps) == (0, {Housekeeping.PAUSE_S})
        assert facts == [PeriodicJobDone("sweeping", 35)]
        chore.left = 5
        await pass_time(EVERY_S)
        assert facts[1:] == [PeriodicJobDone("sweeping", 5)]
        run.cancel()

    in_virtual_time(story())


def test_of_two_workers_one_keeps_house() -> None:
    """And the other takes over when the first is gone for as long as its duty lasts."""

    async def story() -> None:
        tables, facts = LoopTables(), list[Fact]()
        mine, theirs = Sweeping(left=1000), Sweeping(left=1000)
        first = asyncio.create_task(keeping(tables, mine, "a", facts).run())
        await pass_time(0.01)
        second = asyncio.create_task(keeping(tables, theirs, "b", facts).run())
        await pass_time(1)
        assert mine.at
        assert not theirs.at
        first.cancel()
        await pass_time(EVERY_S + Housekeeping.TERM_S)
        assert theirs.left == 0
        second.cancel()

    in_virtual_time(story())


def test_an_outage_puts_the_chore_off() -> None:
    """It is said, with what was done before it, and it comes round again by itself."""

    async def story() -> None:
        facts: list[Fact] = []
        chore = Sweeping(left=1000)
        run = asyncio.create_task(keeping(LoopTables(), chore, "a", facts).run())
        await pass_time(1)
        chore.reachable = False
        await pass_time(1)
        told, failed = facts
        assert failed == DutyFailed("sweeping", "away")
        assert isinstance(told, PeriodicJobDone)
        assert told.rows == 1000 - chore.left
        chore.reachable = True
        await pass_time(EVERY_S + 10)
        assert chore.left == 0
        run.cancel()

    in_virtual_time(story())
