"""Faults of the wire between a worker and its broker or database, made by a proxy of our own."""

from dataclasses import dataclass

from tests.faults.proxy import Way
from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.store.outage import lasts


@dataclass
class Cut(Fault):
    """Every connection is reset, and for a while no new one is taken.

    Args:
        wire: ``broker`` or ``database``.
        seconds: how long.
    """

    wire: str
    seconds: float = 3.0

    async def bite(self, scene: Scene) -> str:
        wire = scene.wires[self.wire]
        await scene.told(0.2)
        before = wire.accepted
        await wire.refuse()
        cut = wire.cut_off
        await lasts(self.seconds)
        await wire.accept()
        await scene.becomes(lambda: wire.accepted > before, "the worker connects again")
        assert cut, "no connection was there to be cut"
        return f"{cut} sockets reset, {self.seconds:g} s no new one; {_lost(scene, self.wire)}"


@dataclass
class Silent(Fault):
    """Nothing comes through: a black hole both ways, or one way only.

    Args:
        wire: ``broker`` or ``database``.
        ways: ``out``, as the worker sees it, or ``back``.
        seconds: how long.
    """

    wire: str
    ways: list[str]
    seconds: float = 15.0

    async def bite(self, scene: Scene) -> str:
        wire = scene.wires[self.wire]
        await scene.told(0.2)
        wire.hold(*map(Way, self.ways))
        await lasts(self.seconds)
        held = wire.held_bytes
        wire.heal()
        assert held, "nobody said a word: the wire was not needed"
        return (
            f"{held} bytes held for {self.seconds:g} s ({'+'.join(self.ways)}); "
            f"{_lost(scene, self.wire)}"
        )


@dataclass
class Slow(Fault):
    """Every piece of data takes longer, both ways, until the end.

    Args:
        wire: ``broker`` or ``database``.
        delay_s: how much longer.
    """

    wire: str
    delay_s: float = 0.2

    async def bite(self, scene: Scene) -> str:
        wire = scene.wires[self.wire]
        await scene.told(0.1)
        wire.delay_s = self.delay_s
        before = wire.delayed_pieces
        await scene.becomes(lambda: wire.delayed_pieces > before + 20, "pieces are delayed")
        return f"{wire.delayed_pieces - before} pieces delayed by {self.delay_s:g} s each"


def _lost(scene: Scene, what: str) -> str:
    return f"losses in the worker's log: {scene.worker.stderr.count(f'{what} is unreachable')}"
