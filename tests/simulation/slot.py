"""A place for a worker: one runs there, dies, and is started again by whoever supervises it."""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from contextvars import Context
from functools import partial

from tests.harness.fakes.broker import FakeSession
from tests.simulation.process import Process
from tests.simulation.scenario import FaultPlan
from tests.simulation.weather import Weather
from tests.simulation.worker import Surroundings, Worker

_HEARTBEATS_S = 4.0
"""A broker gives up the connections of who is silent for so long."""


class Slot:
    """The n-th worker of an installation, in all its runs.

    Args:
        strike: lets a fault happen whose step or moment has come.
    """

    def __init__(
        self, around: Surroundings, number: int, strike: Callable[[FaultPlan], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        self.name = f"w{number}"
        self.weather = Weather(around.chance, loop.time)
        self.weather.on_done = self._done
        self.ends: dict[str, float] = {}
        """When each run was killed, by its process's name."""
        self.away = 0
        self.processes: list[Process] = []
        self._around = around
        self._strike = strike
        self._armed: list[FaultPlan] = []
        self._done_so_far = Counter[str]()
        self._running = False

    @property
    def process(self) -> Process:
        """The run that is, or the last that was."""
        return self.processes[-1]

    def start(self) -> None:
        """Start a worker, if none is there."""
        if self._running:
            return
        self._running = True
        process = Process(f"{self.name}.{len(self.processes) + 1}")
        process.on_alarm = self._step
        self.processes.append(process)
        self._done_so_far.clear()
        self._set_alarm()
        self._around.trace.say(process.name, "starts")
        self.worker = Worker(self._around, process, self.weather, self._left)

    def kill(self) -> None:
        """SIGKILL."""
        if self._running:
            self._around.trace.say(self.process.name, "is killed")
            self.ends[self.process.name] = asyncio.get_running_loop().time()
            self.thaw()
            self._running = False
            self.process.die()
            later(self._around.chance.uniform(0.0, 0.3), partial(_end, self._sessions()))

    def stop(self) -> None:
        """SIGTERM."""
        if self._running:
            self._around.trace.say(self.process.name, "is asked to stop")
            self.worker.stop()

    def freeze(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after a while."""
        if self._running and not self.process.frozen:
            self._around.trace.say(self.process.name, f"freezes for {seconds} s")
            self.weather.frozen.set(asyncio.get_running_loop().time(), wrong=True)
            self.process.freeze()
            later(seconds, self.thaw)
            if seconds > _HEARTBEATS_S:
                later(_HEARTBEATS_S, self._forgotten)

    def thaw(self) -> None:
        """SIGCONT."""
        if self._running and self.process.frozen:
            self._around.trace.say(self.process.name, "thaws")
            self.weather.frozen.set(asyncio.get_running_loop().time(), wrong=False)
            self.process.thaw()

    def arm(self, fault: FaultPlan) -> None:
        """Let a fault strike at its step or its moment."""
        self._armed.append(fault)
        if self.processes:
            self._set_alarm()

    def disarm(self) -> None:
        """Let nothing strike any more."""
        self._armed.clear()
        self._set_alarm()

    def _sessions(self) -> list[FakeSession]:
        return self._around.broker.sessions(self.weather)

    def _forgotten(self) -> None:
        """The broker has noticed."""
        if not self._running or self.process.frozen:
            _end(self._sessions())

    def _left(self) -> None:
        self._around.trace.say(self.process.name, "has left")
        self._running = False
        self.process.die()
        later(0.0, self._around.broker.lose, self.weather)
        later(0.5, self.start)

    def _set_alarm(self) -> None:
        steps = [one.step for one in self._armed if one.step is not None]
        self.process.alarm = min(steps, default=sys.maxsize)

    def _step(self, steps: int) -> None:
        for fault in list(self._armed):
            if fault.step is not None and fault.step <= steps:
                self._armed.remove(fault)
                self._strike(fault)
        self._set_alarm()

    def _done(self, what: str) -> None:
        self._done_so_far[what] += 1
        for fault in list(self._armed):
            if fault.moment is not None and fault.moment == (what, self._done_so_far[what]):
                self._armed.remove(fault)
                self._strike(fault)


def later(seconds: float, call: Callable[..., None], *args: object) -> None:
    """Let something happen to the world, whoever sees to it now."""
    asyncio.get_running_loop().call_later(seconds, call, *args, context=Context())


def _end(sessions: Iterable[FakeSession]) -> None:
    """Those of the run that is gone; another may have begun in its place by now."""
    for one in sessions:
        one.end()
