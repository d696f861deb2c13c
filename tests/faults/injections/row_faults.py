"""Faults of single rows: what no version of this program would have written."""

from dataclasses import dataclass

from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.faults.upstream import user_of
from tests.harness.store.poison import (
    poison_deliveries,
    poison_links,
    poison_outbox,
    poison_platforms,
    poison_replays,
    remove_deliveries,
)
from tests.harness.store.row_rules import behind, lift_rules
from tests.harness.store.sql_world import SqlWorld

_COUNTED = "fanout_rows_set_aside_total"
_TABLES = {
    "outbox": ("outbox",),
    "links": ("links",),
    "deliveries": ("events", "deliveries"),
    "platforms": ("platforms", "replays"),
}


@dataclass
class Poisoned(Fault):
    """Bad rows appear in a table while the load runs.

    Args:
        where: ``outbox``, ``links``, ``deliveries`` (with their event) or ``platforms`` (and a
            replay).
    """

    where: str

    async def bite(self, scene: Scene) -> str:
        await scene.told(0.1)
        async with behind(scene.installation) as world:
            await lift_rules(world)
            await self._write(world, scene)
            for table in _TABLES[self.where]:
                await scene.worker.metric_becomes(_COUNTED, 1, within=60, table=table)
            await scene.all_heard()
            await remove_deliveries(world)
        metrics = await scene.worker.metrics()
        counts = {table: metrics.value(_COUNTED, table=table) for table in _TABLES[self.where]}
        assert scene.worker.running, "the worker has ended"
        assert "begun again" not in scene.worker.stderr, "a duty has failed"
        return f"set aside: {', '.join(f'{table} {count:g}' for table, count in counts.items())}"

    async def _write(self, world: SqlWorld, scene: Scene) -> None:
        platform = scene.platforms[0].name
        match self.where:
            case "outbox":
                await poison_outbox(world, 250)  # more than anybody takes at once
            case "links":
                for event in scene.ids[-20:]:
                    await poison_links(world, user_of(event), platform)
            case "deliveries":
                await poison_deliveries(world, platform)
            case _:
                await poison_platforms(world)
                await poison_replays(world)
