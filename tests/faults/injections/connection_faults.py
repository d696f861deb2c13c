"""Faults of connections to PostgreSQL, met by two workers and an API: cut, mute, failed over."""

import time
from dataclasses import dataclass

from tests.faults.caller import Caller
from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.store.outage import lasts

_WITHIN_S = 5.0
_IDLE_S = 2.0
_KEEPING_UP = 50
"""Events under way, half a second's: else what is late later says nothing about the fault."""


@dataclass
class _Met(Fault):
    """What all have in common: who is there, and that all is told soon after."""

    async def prepare(self, scene: Scene) -> None:
        scene.crew = ["worker", "other"]

    async def bite(self, scene: Scene) -> str:
        async with Caller(scene) as caller:
            await scene.told(0.2)
            await scene.becomes(
                lambda: len(scene.upstream.attempted - _heard(scene)) <= _KEEPING_UP,
                "without a fault the workers keep up with the load on this machine",
                within=_WITHIN_S,
            )
            what = await self.strike(scene)
            since = time.monotonic()
            before = set(scene.upstream.attempted)
            await scene.becomes(
                lambda: before <= _heard(scene), "what was published is told", within=_WITHIN_S
            )
            took = time.monotonic() - since
            answers = await caller.found_it_bearable()
            for worker in scene.workers:
                await worker.ready(within=_WITHIN_S)
        return f"{what}; {len(before)} events told {took:.1f} s after its end; {answers}"

    async def strike(self, scene: Scene) -> str:
        """Do the harm; return when the database can be reached, and what was done."""
        raise NotImplementedError


@dataclass
class AllCut(_Met):
    """Every connection is reset, again and again; new ones are served.

    Args:
        times: a second apart.
    """

    times: int = 3

    async def strike(self, scene: Scene) -> str:
        wire = scene.wires["database"]
        for _ in range(self.times):
            wire.cut()
            await lasts(1.0)
        wire.cut()
        assert wire.cut_off
        return f"{wire.cut_off} sockets reset"


@dataclass
class MutedIdle(_Met):
    """While nothing is published all connections go mute; new ones are served."""

    async def strike(self, scene: Scene) -> str:
        wire = scene.wires["database"]
        await scene.upstream.hold()
        await lasts(_IDLE_S)
        wire.mute()
        scene.upstream.go_on()
        assert wire.muted
        return f"{wire.muted} connections went mute"


@dataclass
class MutedInTransaction(_Met):
    """Connections go mute when a COMMIT is said: the server holds the transaction's locks.

    Args:
        heard: whether the server still hears it, so that only its answer is lost.
        times: so many connections.
    """

    heard: bool = False
    times: int = 4

    async def strike(self, scene: Scene) -> str:
        wire = scene.wires["database"]
        wire.mute_at(b"COMMIT;", heard=self.heard, times=self.times)
        await scene.becomes(lambda: wire.muted >= self.times, "connections go mute")
        return f"{wire.muted} connections went mute at their COMMIT"


@dataclass
class MutedAtOnce(_Met):
    """In the midst of the load all connections go mute, whatever they were doing."""

    async def strike(self, scene: Scene) -> str:
        wire = scene.wires["database"]
        wire.mute()
        assert wire.muted
        return f"{wire.muted} connections went mute"


@dataclass
class Restarted(_Met):
    """PostgreSQL is stopped in order and started on the same address, as in a switch-over.

    Args:
        seconds: how long it is away.
    """

    seconds: float = 3.0

    async def strike(self, scene: Scene) -> str:
        server = scene.place.postgres
        assert server is not None, "this fault needs a PostgreSQL of its own"
        await server.halt()
        await lasts(self.seconds)
        await server.start()
        return f"PostgreSQL was away for {self.seconds:g} s"


def _heard(scene: Scene) -> set[str]:
    return {
        scene.names[one.webhook_id].event_id
        for one in scene.platforms[0].requests
        if one.webhook_id in scene.names
    }
