"""Replays: a job row with a frozen selection; workers release it at its rate."""

import asyncio
from typing import Protocol

from disconnect_fanout.flow.fact import Observe
from disconnect_fanout.flow.outage import DataRefused, StoreUnreachable
from disconnect_fanout.flow.supervision.stumbles import Stumbles


class ReplayStore(Protocol):
    """Jobs and their selections, one pacer at a time under a job's row lock."""

    async def advance(self, horizon_s: float) -> int:
        """Release what the rate of each running job allows within the coming ``horizon_s``.

        What a cancelled job had released and is not on its way is taken back.

        Returns:
            How many deliveries had their turn.
        """
        ...


class Replayer:
    """Lets the pacer turn: at once again while a portion was full, else twice a second."""

    HORIZON_S = 2.0
    FULL = 500
    """As many as share a transaction; the pacer released all that it could if it was fewer."""
    IDLE_S = 0.5

    def __init__(self, store: ReplayStore, observe: Observe) -> None:
        self._store = store
        self.stumbles = Stumbles("replay", observe)

    async def run(self) -> None:
        """Turn until cancelled."""
        while True:
            try:
                released = await self._store.advance(self.HORIZON_S)
            except (StoreUnreachable, DataRefused) as error:
                await asyncio.sleep(self.stumbles.stumbled(error))
                continue
            self.stumbles.went_well()
            if released < self.FULL:
                await asyncio.sleep(self.IDLE_S)
