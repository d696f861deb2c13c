"""The watch: looks at the platforms every second, and lets the gauges be counted."""

import asyncio

from disconnect_fanout.app.parts import Parts
from disconnect_fanout.app.readiness import Readiness
from disconnect_fanout.flow.fact import Observe
from disconnect_fanout.flow.outage import DataRefused, StoreUnreachable
from disconnect_fanout.flow.supervision.stumbles import Stumbles
from disconnect_fanout.telemetry.metrics import Metrics

PERIOD_S = 1.0


class HealthRefresher:
    """Keeps the directory fresh, and readiness and gauges true."""

    def __init__(
        self, parts: Parts, readiness: Readiness, metrics: Metrics, observe: Observe
    ) -> None:
        self._parts = parts
        self._readiness = readiness
        self._metrics = metrics
        self.stumbles = Stumbles("the watch", observe)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(PERIOD_S)
            await self.look()

    async def look(self) -> None:
        """Look once; in an outage the gauges keep what they show."""
        failed: StoreUnreachable | DataRefused | None = None
        for look in (self._parts.look_for_keys, self._look):
            try:
                await look()
            except (StoreUnreachable, DataRefused) as error:
                failed = error
            self._let_go_if_useless()
        if failed is None:
            self.stumbles.went_well()
        else:
            self.stumbles.stumbled(failed)
        self._metrics.show_ready(ready=not self._readiness.problems())

    async def _look(self) -> None:
        directory = self._parts.flow.directory
        await directory.refresh()
        self._readiness.platforms = len(directory.platforms)
        self._readiness.unreadable = directory.unreadable
        self._readiness.flawed = directory.flawed
        self._let_go_if_useless()
        await self._parts.gauges.look()

    def _let_go_if_useless(self) -> None:
        """Hold no event that this worker has nobody to tell of, or could not read again."""
        parts = self._parts
        useless = not parts.flow.directory.platforms or parts.health.lacking_key is not None
        if useless and parts.flow.consumer.attached:
            parts.flow.consumer.let_go()
