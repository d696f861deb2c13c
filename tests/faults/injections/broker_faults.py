"""Faults of the broker: it dies, leaves, freezes, takes nothing, loses its patience."""

import time
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.servers.answer import Answer
from tests.harness.store.outage import lasts

from disconnect_fanout.demo.rabbitmq import speaks_amqp

_AWAY = "broker is unreachable; trying again"
_BACK = "broker is back"
_PUT_OFF = "put off until the outage is over"
_REFUSED = Answer(status=500)


@dataclass
class Restarted(Fault):
    """It ends and comes back: killed as by a power cut, or told to leave (SIGTERM).

    Args:
        how: ``SIGKILL`` or ``SIGTERM``.
    """

    how: Literal["SIGKILL", "SIGTERM"]

    async def bite(self, scene: Scene) -> str:
        broker = scene.own_broker
        await scene.told(0.2)
        began = time.monotonic()
        if self.how == "SIGKILL":
            await broker.crash()
            await broker.start()
        else:
            await broker.restart()
        away_s = time.monotonic() - began
        await scene.broker_is_back()
        lost = f"{scene.upstream.unconfirmed} publishes of upstream were not confirmed"
        return f"away for {away_s:.1f} s; the worker's log says that it was lost and back; {lost}"


@dataclass
class FrozenBroker(Fault):
    """SIGSTOP: connections stay open and nobody answers.

    Args:
        seconds: how long.
    """

    seconds: float

    async def bite(self, scene: Scene) -> str:
        broker = scene.own_broker
        await scene.told(0.2)
        before = scene.upstream.unconfirmed
        broker.freeze()
        await lasts(self.seconds)
        held = scene.upstream.unconfirmed - before
        unanswered = not await _answers(scene)
        broker.thaw()
        assert unanswered, "a frozen broker has answered"
        seen = scene.worker.stderr.count(_AWAY)
        return (
            f"frozen for {self.seconds:g} s, no answer to a greeting; {held} publishes of "
            f"upstream unconfirmed; losses in the worker's log: {seen}"
        )


@dataclass
class Alarm(Fault):
    """Memory or disk is short: the broker takes nothing from publishers, letters included.

    Args:
        set_it, lift_it: arguments of rabbitmqctl.
    """

    set_it: list[str]
    lift_it: list[str]

    async def prepare(self, scene: Scene) -> None:
        scene.platforms[0].behaviour = _REFUSED

    async def bite(self, scene: Scene) -> str:
        broker = scene.own_broker
        await scene.told(0.2)
        await broker.rabbitmqctl(*self.set_it)
        alarms = (await broker.eval("rabbit_alarm:get_alarms().")).strip()
        try:
            assert alarms != "[]", "there is no alarm"
            await scene.becomes(
                lambda: _PUT_OFF in scene.worker.stderr, "no letter could be published"
            )
        finally:
            await broker.rabbitmqctl(*self.lift_it)
        put_off = scene.worker.stderr.count(_PUT_OFF)
        return f"alarms: {' '.join(alarms.split())}; letters put off {put_off} times"


@dataclass
class ConsumerTimeout(Fault):
    """The broker closes a channel that has held a message for too long.

    The worker holds none for long, so it is frozen while it holds some.

    Args:
        timeout_s: the broker's consumer time-out, which it looks at each second.
    """

    timeout_s: float = 5.0

    async def prepare(self, scene: Scene) -> None:
        for name, value in (
            ("consumer_timeout", self.timeout_s), ("channel_tick_interval", 1.0),
        ):  # fmt: skip
            await scene.own_broker.eval(
                f"application:set_env(rabbit, {name}, {round(value * 1000)})."
            )
        for one in scene.platforms:
            one.behaviour = Answer(delay=0.2)

    async def bite(self, scene: Scene) -> str:
        broker = scene.own_broker
        await scene.told(0.1)
        scene.worker.freeze()
        log = broker.folder / "log"
        try:
            await scene.becomes(lambda: "has timed out" in log.read_text(), "the time-out")
        finally:
            scene.worker.thaw()
        await scene.broker_is_back()
        lines = [line for line in log.read_text().splitlines() if "has timed out" in line]
        return f"the broker's log: {lines[0].split('> ', 1)[-1][:110]}"


async def _answers(scene: Scene) -> bool:
    """Whether the broker answers a greeting within a second."""
    port = urlsplit(scene.place.vhost.url).port
    return port is not None and await speaks_amqp(port)
