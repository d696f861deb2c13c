"""Faults of what was declared at the broker: queues deleted, full, unbound, moved away from."""

import asyncio
import time
from dataclasses import dataclass

from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.servers import amqp
from tests.harness.servers.answer import Answer
from tests.harness.store.outage import lasts


@dataclass
class QueueDeleted(Fault):
    """``fanout.events`` is deleted while the worker consumes it; it was empty at that moment."""

    async def bite(self, scene: Scene) -> str:
        await scene.told(0.2)
        await scene.upstream.hold()
        await _empty(scene)
        queue = scene.place.vhost.queue("events")
        async with amqp.channel(scene.place.vhost.url) as channel:
            await channel.queue_delete(queue)
        began = time.monotonic()
        scene.upstream.go_on()
        await scene.broker_is_back()
        back_s = time.monotonic() - began
        assert scene.upstream.returned, "no publish was returned: the queue was there all the time"
        return (
            f"{scene.upstream.returned} publishes were returned; the worker had lost it, "
            f"and declared and consumed it {back_s:.1f} s later"
        )


@dataclass
class BindingMissing(Fault):
    """The binding of ``fanout.events`` is removed: mandatory publishes are returned to upstream."""

    within_s: float = 15.0

    async def bite(self, scene: Scene) -> str:
        await scene.told(0.2)
        vhost = scene.place.vhost
        began = time.monotonic()
        async with amqp.channel(vhost.url) as channel:
            queue = await channel.get_queue(vhost.queue("events"), ensure=False)
            await queue.unbind(vhost.exchange, "user.calendar.disconnected")
        confirmed = len(scene.upstream.confirmed)
        await scene.becomes(lambda: scene.upstream.returned > 0, "a publish is returned")
        await scene.becomes(
            lambda: len(scene.upstream.confirmed) > confirmed + 20,
            "it is bound again",
            within=self.within_s,
        )
        took_s = time.monotonic() - began
        returned = scene.upstream.returned
        return f"{returned} publishes were returned; bound again within {took_s:.1f} s"


@dataclass
class DeadQueueFull(Fault):
    """An operator's policy leaves room for a few letters only, then room again.

    Args:
        room: for so many.
    """

    room: int = 10

    async def prepare(self, scene: Scene) -> None:
        for one in scene.platforms:
            one.behaviour = Answer(status=500)
        limit = f'{{"max-length":{self.room},"overflow":"reject-publish"}}'
        how = ("--apply-to", "queues", "full", "^fanout.dead$", limit)
        await scene.own_broker.rabbitmqctl("set_policy", *how)

    async def bite(self, scene: Scene) -> str:
        await scene.becomes(lambda: "is it full?" in scene.worker.stderr, "a letter was refused")
        await lasts(8.0)
        depth = await scene.books_of.waiting_in("dead")
        dead = (await scene.books_of.rest()).dead
        await scene.own_broker.rabbitmqctl("clear_policy", "full")
        assert depth < len(scene.ids), "there was room all the time"
        refused = scene.worker.stderr.count("is it full?")
        return f"{depth} letters fitted in, {dead} rows were dead; {refused} refusals in the log"


@dataclass
class DeliveryLimit(Fault):
    """A crash loop: each start takes messages and dies, until the broker moves them away.

    ``fanout rejected replay`` brings them back.
    """

    most: int = 40

    async def prepare(self, scene: Scene) -> None:
        self.marker = scene.folder / "bitten"
        scene.worker_settings |= {
            "FAULT_POINT": "taken",
            "FAULT_TIMES": "1000",
            "FAULT_MARKER": str(self.marker),
        }

    async def bite(self, scene: Scene) -> str:
        crashes = 0
        await scene.becomes(lambda: len(scene.upstream.confirmed) == len(scene.ids), "published")
        while crashes < self.most and await self._crashes(scene):
            crashes += 1
            await scene.worker.start(ready_within=None)
        rejected = await scene.books_of.waiting_in("rejected")
        assert rejected == len(scene.ids), f"{rejected} were moved away after {crashes} crashes"
        scene.worker_settings.pop("FAULT_POINT")
        await scene.worker.sigkill()
        await scene.another_worker("mended")
        replayed = await scene.installation.fanout("rejected", "replay", "--all", "--yes")
        assert replayed.exit_code == 0, replayed.stderr
        return f"after {crashes} crashes {rejected} events were among the rejected; replayed"

    async def _crashes(self, scene: Scene) -> bool:
        """Wait until the worker has died; say no if the broker has moved everything away instead.

        It moves some time after a death, so a worker may start and find nothing to die of.
        """
        async with asyncio.timeout(60):
            while scene.worker.running:
                if await scene.books_of.waiting_in("rejected") == len(scene.ids):
                    return False
                await asyncio.sleep(0.1)
        return True


async def _empty(scene: Scene) -> None:
    """Wait until nothing is in the queue, nor held by the worker."""
    async with asyncio.timeout(30):
        while (await scene.books_of.rest()).events < len(scene.upstream.confirmed):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await amqp.depth_becomes(scene.place.vhost.url, scene.place.vhost.queue("events"), 0)
