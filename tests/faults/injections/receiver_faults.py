"""Faults of receiving platforms: what they answer, or how they don't, before they are well."""

import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from functools import partial
from typing import Any

from tests.faults.platform import GOOD
from tests.faults.row import Fault
from tests.faults.scene import Scene
from tests.harness.servers.answer import Answer, Step
from tests.harness.servers.received import Received
from tests.harness.servers.receiver import Receiver

_GIB = 2**30
_FOR_AGES_S = 1000
_CLOCKS_S = 0.1
_SENSELESS = {1: "soon", 2: "-5", 3: "1e9", 4: "Thu, 01 Jan 1970 00:00:00 GMT", 5: ""}


@dataclass
class AnswersBadly(Fault):
    """The first requests are answered so, the others well.

    Args:
        answer: the fields of an ``Answer``.
        times: so many of them, at the first platform.
        result: what the history must call such an attempt.
        timeout: of the platforms.
    """

    answer: Mapping[str, Any]
    result: str
    times: int = 30
    timeout: str = "2s"
    given: int = field(default=0)

    async def prepare(self, scene: Scene) -> None:
        scene.platform_options = ["--timeout", self.timeout]
        fields = dict(self.answer)
        if "body_bytes" in fields:
            fields["body"] = b"x" * fields.pop("body_bytes")
        if "raw" in fields:
            fields["raw"] = fields["raw"].encode("latin-1")
        self._bad = Answer(**fields)
        scene.platforms[0].behaviour = self._answer

    def _answer(self, _request: Received) -> Step:
        self.given += 1
        return self._bad if self.given <= self.times else GOOD

    async def bite(self, scene: Scene) -> str:
        name = scene.platforms[0].name
        await scene.becomes(lambda: self.given >= self.times, "all bad answers are given")
        await scene.worker.metric_becomes(
            "fanout_delivery_attempts_total",
            self.times,
            within=40,
            platform=name,
            result=self.result,
        )
        seen = await _attempts(scene, name)
        return f"{self.times} requests answered so; the worker counts {seen}"


@dataclass
class ClosesIdle(Fault):
    """Resets a kept-alive connection in the moment in which it is used again, now and then."""

    resets: int = 0
    every: int = 5
    reused: Counter[int] = field(default_factory=Counter)

    async def prepare(self, scene: Scene) -> None:
        scene.platforms[0].behaviour = self._answer

    def _answer(self, request: Received) -> Step:
        self.reused[request.peer_port] += 1
        if self.reused[request.peer_port] == self.every:
            self.resets += 1
            return Answer(reset=True)
        return GOOD

    async def bite(self, scene: Scene) -> str:
        await scene.becomes(lambda: self.resets >= 5, "connections are reset")
        await scene.worker.metric_becomes(
            "fanout_delivery_attempts_total",
            5,
            platform=scene.platforms[0].name,
            result="disconnected",
        )
        seen = await _attempts(scene, scene.platforms[0].name)
        return f"{self.resets}+ kept-alive connections reset when used again; it counts {seen}"


@dataclass
class Floods(Fault):
    """Answers 200 and a body of 1 GiB: it is told, and the worker reads no more than it must."""

    times: int = 5
    most_mib: int = 400

    async def prepare(self, scene: Scene) -> None:
        answered = 0

        def answer(_request: Received) -> Step:
            nonlocal answered
            answered += 1
            return Answer(flood=_GIB) if answered <= self.times else GOOD

        scene.platforms[0].behaviour = answer

    async def bite(self, scene: Scene) -> str:
        receiver = scene.platforms[0].receiver
        await scene.told(0.5)
        assert 0 < receiver.flooded < self.times * _GIB / 10, f"it sent {receiver.flooded} bytes"
        mib = _resident_mib(scene.worker.pid)
        assert mib < self.most_mib, f"the worker has {mib} MiB"
        each = receiver.flooded / self.times / 2**20
        return f"{self.times} answers of 1 GiB, hung up after {each:.1f} MiB; worker {mib} MiB"


@dataclass
class Redirects(Fault):
    """Answers 302 to another address: it is never followed, and tried again here."""

    times: int = 30
    trap: Receiver = field(default_factory=Receiver)
    given: int = field(default=0)

    async def prepare(self, scene: Scene) -> None:
        await scene.listen(self.trap)
        scene.platforms[0].behaviour = self._answer

    def _answer(self, _request: Received) -> Step:
        self.given += 1
        to = Answer(status=302, headers={"location": self.trap.url})
        return to if self.given <= self.times else GOOD

    async def bite(self, scene: Scene) -> str:
        await scene.becomes(lambda: self.given > self.times, "they are tried again")
        assert not self.trap.requests, "a redirect was followed"
        seen = await _attempts(scene, scene.platforms[0].name)
        return f"{self.times} redirects, none followed; the worker counts {seen}"


@dataclass
class AsksToWait(Fault):
    """429 to each first request, with ``Retry-After`` in both forms, and in forms without sense.

    Attributes:
        asked: what each delivery was told, and the instant before which it may not come again.
    """

    asked: dict[str, tuple[str, float]] = field(default_factory=dict)
    too_early: list[str] = field(default_factory=list)

    async def prepare(self, scene: Scene) -> None:
        scene.platforms[0].behaviour = partial(self._answer, scene)

    def _answer(self, scene: Scene, request: Received) -> Step:
        one = request.webhook_id
        if one not in self.asked:
            words, wait_s = _wait(len(self.asked), request.wall)
            self.asked[one] = words, request.wall + wait_s
            if wait_s > _FOR_AGES_S:
                scene.waiting.add(scene.names[one])
            return Answer(status=429, headers={"retry-after": words})
        words, until = self.asked[one]
        if request.wall < until - _CLOCKS_S:
            self.too_early.append(f"{words}: {until - request.wall:.1f} s too early")
        return GOOD

    async def bite(self, scene: Scene) -> str:
        await scene.becomes(lambda: len(self.asked) == len(scene.ids), "each was refused once")
        first = scene.platforms[0].name
        await scene.becomes(
            lambda: len(scene.platforms[0].requests) == 2 * len(scene.ids) - len(scene.waiting),
            "those that may have come again",
        )
        rows = await scene.installation.ask("deliveries", "list", "--platform", first)
        most = (datetime.now(UTC) + timedelta(days=1, hours=3)).isoformat()
        late = [one["next_at"] for one in rows if (one["next_at"] or "") > most]
        assert not late, f"wait for more than a day: {late}"
        assert not self.too_early, self.too_early
        forms = sorted({words for words, _ in self.asked.values()})
        return (
            f"{len(self.asked)} times 429 in {len(forms)} forms, none came too early; "
            f"{len(scene.waiting)} were asked for ages and wait for a day"
        )


def _wait(number: int, now: float) -> tuple[str, float]:
    """Return a ``Retry-After`` and the seconds that it asks for."""
    match number % 40:
        case 0:
            return "99999999999999999999", float("inf")
        case 20:
            return "Fri, 31 Dec 9999 23:59:59 GMT", float("inf")
        case other if other % 8 in _SENSELESS:
            return _SENSELESS[other % 8], 0.0
        case other if other % 2:
            return formatdate(int(now) + 2, usegmt=True), int(now) + 2 - now
        case _:
            return "2", 2.0


async def _attempts(scene: Scene, platform: str) -> str:
    """Return how the worker has counted the attempts at a platform."""
    metrics = await scene.worker.metrics()
    counted = {
        one.labels["result"]: int(one.value)
        for one in metrics.samples
        if one.name == "fanout_delivery_attempts_total" and one.labels["platform"] == platform
    }
    return ", ".join(f"{count} {result}" for result, count in sorted(counted.items()))


def _resident_mib(pid: int) -> int:
    """Return what a process holds in memory."""
    said = subprocess.check_output(["ps", "-o", "rss=", "-p", str(pid)], text=True)  # noqa: S607
    return int(said) // 1024
