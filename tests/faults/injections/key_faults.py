"""Faults of secret keys: one that some workers lack, and a row that none of them opens."""

from dataclasses import dataclass
from http import HTTPStatus

from sqlalchemy import update
from tests.faults.comes_true import comes_true
from tests.faults.platform import GOOD
from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.servers.answer import Answer, Step
from tests.harness.servers.received import Received

from disconnect_fanout.adapters.crypto.vault import fingerprint, new_key
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.schema.tables import events

_REFUSALS = 40


@dataclass
class RotatedOneByOne(Fault):
    """Of two workers the second is restarted with ``NEW,OLD`` first, the wrong way round.

    The first platform refuses at first, so that rows wait whose event the new key has sealed.
    """

    refused: int = 0

    async def prepare(self, scene: Scene) -> None:
        scene.crew = ["worker", "second"]
        scene.platforms[0].behaviour = self._answer

    def _answer(self, _request: Received) -> Step:
        self.refused += 1
        return Answer(status=503) if self.refused <= _REFUSALS else GOOD

    async def bite(self, scene: Scene) -> str:
        first, second = scene.workers
        old, new = scene.installation.settings["FANOUT_SECRET_KEY"], new_key()
        await scene.told(0.1)
        second.sigterm()
        assert await second.wait() == 0
        scene.worker_settings["FANOUT_SECRET_KEY"] = f"{new},{old}"
        await scene.another_worker("rotated")
        said = await first.readyz_says("lacks a key")
        assert fingerprint(new) in said, said
        attempts = (await first.metrics()).value("fanout_delivery_attempts_total")
        await scene.all_heard()  # the other one does it all
        grown = (await first.metrics()).value("fanout_delivery_attempts_total") - attempts
        assert first.running, "it has ended"
        assert (await first.readyz())[0] == HTTPStatus.SERVICE_UNAVAILABLE
        first.sigterm()
        assert await first.wait() == 0
        await scene.another_worker("last")
        return f"not ready, {grown:g} attempts from then on, ended with 0 when told to: {said}"


@dataclass
class EventDamaged(Fault):
    """One event's row holds something that no key opens, while its delivery waits."""

    async def bite(self, scene: Scene) -> str:
        platform = scene.platforms[0]
        await scene.told(0.1)
        await scene.installation.fanout("platforms", "pause", platform.name)
        recorded = len(scene.ids) * len(scene.platforms)

        async def all_known() -> bool:
            return len(await scene.books_of.recorded()) == recorded

        await comes_true(all_known, "everything is recorded", within=30)
        rows = await scene.books_of.recorded()
        waits = [one for one, row in rows.items() if row.state == "pending"]
        name = next(one for one in waits if one.platform_id == platform.name)
        await _damage(scene.place.database_url, name.event_id)
        scene.waiting.add(name)
        await scene.installation.fanout("platforms", "resume", platform.name)
        await scene.worker.metric_becomes("fanout_rows_set_aside_total", 1, table="events")
        said = await scene.installation.ask("check")
        (row,) = [one for one in said if one["check"] == "unreadable rows"]
        assert name.event_id in row["detail"], row
        return f"one of {len(waits)} waiting rows; check says {row['detail']!r}"


async def _damage(url: str, event_id: str) -> None:
    database = Database(url)
    try:
        async with database.record() as connection:
            broken = update(events).where(events.c.id == event_id)
            await connection.execute(broken.values(sealed=b"torn"))
    finally:
        await database.close()
