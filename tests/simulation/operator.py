"""What an operator does: replays, brakes, platforms switched off and on, a worker restarted."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import assert_never

from tests.harness.fakes.operator_store import FakeReplayStore
from tests.simulation.scenario import Deed, DeedPlan
from tests.simulation.slot import Slot
from tests.simulation.worker import Surroundings

from disconnect_fanout.policy.delivery_row import DeliveryRow, discarded


class Operator:
    """Somebody with the command line."""

    def __init__(self, around: Surroundings, slots: list[Slot]) -> None:
        self._around = around
        self._tables = around.tables
        self._slots = slots
        self._jobs = FakeReplayStore(around.tables)

    async def do(self, plan: DeedPlan) -> None:
        """Do one thing."""
        platform = self._around.scenario.platforms[plan.platform].id
        self._around.trace.say("operator", f"{plan.deed} ({platform})")
        self._tables.user = "operator"
        match plan.deed:
            case Deed.REPLAY_DEAD | Deed.REPLAY_ALL:
                await self._replay(plan)
            case Deed.PAUSE_JOBS:
                await self._each_job(self._jobs.pause, "running")
            case Deed.RESUME_JOBS:
                await self._each_job(self._jobs.resume, "paused")
            case Deed.CANCEL_JOBS:
                await self._each_job(self._jobs.cancel, "running", "paused")
            case Deed.PAUSE | Deed.RESUME:
                self._change(platform, paused=plan.deed is Deed.PAUSE)
            case Deed.DISABLE | Deed.ENABLE:
                self._change(platform, enabled=plan.deed is Deed.ENABLE)
            case Deed.DISCARD:
                self._tables.save([discarded(row) for row in self._dead()[:1]])
                self._tables.recorded()
            case Deed.PURGE:
                self._around.broker.dead.ready.clear()
            case Deed.RESTART:
                self._slots[plan.worker].stop()
            case _:
                assert_never(plan.deed)

    async def leave_nothing_held(self) -> None:
        """Resume what was paused."""
        self._tables.user = "operator"
        await self._each_job(self._jobs.resume, "paused")
        for name in self._tables.platforms:
            self._change(name, paused=False)

    async def _replay(self, plan: DeedPlan) -> None:
        again = plan.deed is Deed.REPLAY_ALL
        idle = [row for row in self._tables.rows() if not row.under_way]
        if ids := [row.id for row in (idle if again else self._dead())]:
            await self._jobs.create(ids, rate_per_s=plan.rate_per_s, again=again)

    async def _each_job(self, move: Callable[[str], Awaitable[None]], *states: str) -> None:
        for name, job in self._tables.jobs.items():
            if job.state in states:
                await move(name)

    def _dead(self) -> list[DeliveryRow]:
        return [row for row in self._tables.rows() if row.state == "dead"]

    def _change(self, platform: str, **changes: bool) -> None:
        before = self._tables.platforms[platform]
        self._tables.platforms[platform] = replace(before, **changes)  # type: ignore[arg-type]
