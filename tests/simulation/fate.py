"""What goes wrong, when its time has come, and how it ends."""

import asyncio
from collections.abc import Callable
from typing import assert_never

from tests.simulation.scenario import FaultPlan, Trouble
from tests.simulation.slot import Slot, later
from tests.simulation.worker import Surroundings

from disconnect_fanout.domain.outcome import Shortage


class Fates:
    """Strikes, and heals."""

    def __init__(self, around: Surroundings, slots: list[Slot]) -> None:
        self.database_crashes: list[float] = []
        self._around = around
        self._slots = slots
        self._healings = 0
        self._broker_away = 0

    def strike(self, fault: FaultPlan) -> None:  # noqa: C901 - one case for each trouble
        """Let a fault happen."""
        slot = self._slots[fault.worker]
        self._around.trace.say("fate", f"{fault.trouble} ({slot.name}, {fault.lasts_s} s)")
        match fault.trouble:
            case Trouble.CRASH:
                slot.kill()
                later(fault.lasts_s, slot.start)
            case Trouble.FREEZE:
                slot.freeze(fault.lasts_s)
            case Trouble.DATABASE_AWAY:
                self._cut_off(self._slots, fault.lasts_s)
            case Trouble.DATABASE_CUT_OFF:
                self._cut_off([slot], fault.lasts_s)
            case Trouble.DATABASE_CRASH:
                self._crash_database()
                self._cut_off(self._slots, fault.lasts_s)
            case Trouble.DATABASE_FLAKY:
                slot.weather.database_share = fault.share
                slot.weather.judge_database()
                self._later(fault.lasts_s, self._database_steadies, slot)
            case Trouble.BROKER_AWAY:
                self._broker_away += 1
                self._around.broker.reachable = False
                self._around.broker.lose()
                self._later(fault.lasts_s, self._broker_comes_back)
            case Trouble.CONNECTION_LOST:
                self._around.broker.lose(slot.weather)
            case Trouble.BROKER_FLAKY:
                slot.weather.broker_share = fault.share
                self._later(fault.lasts_s, self._broker_steadies, slot)
            case Trouble.OUT_OF_MEANS:
                slot.weather.shortage = self._around.chance.choice(list(Shortage))
                self._later(fault.lasts_s, self._means_are_back, slot)
            case _:
                assert_never(fault.trouble)

    def heal(self) -> None:
        """End everything that is wrong."""
        self._healings += 1
        self._broker_away = 0
        self._around.broker.reachable = True
        for slot in self._slots:
            slot.disarm()
            slot.thaw()
            slot.away = 0
            slot.weather.database_up = True
            slot.weather.database_share = slot.weather.broker_share = 0.0
            slot.weather.judge_database()
            slot.weather.shortage = None

    def _crash_database(self) -> None:
        tables = self._around.tables
        kept = self._around.chance.randint(0, tables.volatile)
        self._around.trace.say("fate", f"of {tables.volatile} commits on their way {kept} are left")
        tables.fall(kept)
        self.database_crashes.append(asyncio.get_running_loop().time())

    def _cut_off(self, slots: list[Slot], seconds: float) -> None:
        for slot in slots:
            slot.away += 1
            slot.weather.database_up = False
            slot.weather.judge_database()
            self._later(seconds, self._database_comes_back, slot)

    def _database_comes_back(self, slot: Slot) -> None:
        slot.away -= 1
        slot.weather.database_up = slot.away == 0
        slot.weather.judge_database()

    def _database_steadies(self, slot: Slot) -> None:
        slot.weather.database_share = 0.0
        slot.weather.judge_database()

    def _broker_comes_back(self) -> None:
        self._broker_away -= 1
        self._around.broker.reachable = self._broker_away == 0

    def _broker_steadies(self, slot: Slot) -> None:
        slot.weather.broker_share = 0.0

    def _means_are_back(self, slot: Slot) -> None:
        slot.weather.shortage = None

    def _later(self, seconds: float, end: Callable[..., None], *args: object) -> None:
        """End a fault, unless the world has healed meanwhile."""
        healings = self._healings

        def unless_healed() -> None:
            if healings == self._healings:
                end(*args)

        later(seconds, unless_healed)
