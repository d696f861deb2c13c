"""Faults of a broker of three nodes, with three workers on one PostgreSQL."""

import asyncio
import time
from dataclasses import dataclass

from tests.faults.cluster import Cluster
from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.store.outage import lasts
from tests.harness.worker.process import WorkerProcess

_CREW = ["first", "second", "third"]


@dataclass
class LeaderGone(Fault):
    """The node that leads ``fanout.events`` is killed, or frozen, and comes back.

    Args:
        frozen: SIGSTOP instead of SIGKILL.
        seconds: how long it is away.
    """

    frozen: bool = False
    seconds: float = 15.0

    async def prepare(self, scene: Scene) -> None:
        scene.crew = _CREW

    async def bite(self, scene: Scene) -> str:
        cluster, workers = _cluster(scene), scene.workers
        await scene.told(0.2)
        queue = scene.place.vhost.queue("events")
        leader = await cluster.leader_of(queue)
        confirmed = len(scene.upstream.confirmed)
        began = time.monotonic()
        if self.frozen:
            leader.freeze()
        else:
            await leader.crash()
        await scene.becomes(
            lambda: len(scene.upstream.confirmed) > confirmed + 10, "confirms go on", within=90
        )
        stalled_s = time.monotonic() - began
        await lasts(self.seconds)
        other = next(node for node in cluster.nodes if node is not leader)
        heir = await cluster.leader_of(queue, asked=other)
        assert heir is not leader, "it led all the time"
        if self.frozen:
            leader.thaw()
        else:
            await leader.start()
        await _all_ready(workers)
        what = "frozen" if self.frozen else "killed"
        return (
            f"{leader.name} {what}, {heir.name} leads; ten more confirms after {stalled_s:.1f} s; "
            f"workers that lost it: {_losers(workers)} of 3"
        )


@dataclass
class MajorityGone(Fault):
    """Two of three nodes are killed: nothing is confirmed until they are back.

    Args:
        seconds: how long they are away.
    """

    seconds: float = 10.0

    async def prepare(self, scene: Scene) -> None:
        scene.crew = _CREW

    async def bite(self, scene: Scene) -> str:
        cluster, workers = _cluster(scene), scene.workers
        await scene.told(0.2)
        gone = cluster.nodes[1:]
        await asyncio.gather(*(node.crash() for node in gone))
        await lasts(2.0)
        confirmed = len(scene.upstream.confirmed)
        await lasts(self.seconds)
        meanwhile = len(scene.upstream.confirmed) - confirmed
        assert meanwhile == 0, f"{meanwhile} were confirmed by a minority"
        await asyncio.gather(*(node.start() for node in gone))
        await _all_ready(workers)
        members = await cluster.members()
        assert members == len(cluster.nodes)
        return (
            f"no confirm for {self.seconds:g} s; {members} nodes again; workers that lost "
            f"it: {_losers(workers)} of 3"
        )


@dataclass
class WorkerGone(Fault):
    """Three workers, of which one is killed and one is told to leave."""

    async def prepare(self, scene: Scene) -> None:
        scene.crew = _CREW

    async def bite(self, scene: Scene) -> str:
        first, second, third = scene.workers
        await scene.told(0.2)
        await first.sigkill()
        await scene.forgets()
        second.sigterm()
        code = await second.wait()
        assert code == 0, f"it ended with {code}"
        told = len(scene.platforms[0].requests)
        assert told < len(scene.ids), "it came too late to matter"
        assert third.running
        return f"one killed, one left with 0 after {told} of {len(scene.ids)}; the third goes on"


def _cluster(scene: Scene) -> Cluster:
    assert scene.place.cluster is not None, "this fault needs a cluster"
    return scene.place.cluster


async def _all_ready(workers: list[WorkerProcess]) -> None:
    for worker in workers:
        await worker.ready(within=90)


def _losers(workers: list[WorkerProcess]) -> int:
    return sum("broker is unreachable" in worker.stderr for worker in workers)
