"""The platforms: how they answer, and what they were sent by whom."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.harness.fakes.sender import HANG, FakeSender, Step
from tests.simulation.process import Process
from tests.simulation.scenario import Manner, PlatformPlan
from tests.simulation.weather import Weather

from disconnect_fanout.domain.outcome import Answer, Exchange, Failure, FailureKind, Unable
from disconnect_fanout.flow.webhook import WebhookRequest
from disconnect_fanout.policy.decide import Verdict

RESET = Failure(FailureKind.DISCONNECTED, "reset")
STALE = Failure(FailureKind.DISCONNECTED, "reset", reused=True)
UNREACHABLE = Failure(FailureKind.UNREACHABLE, "refused")
_BUSY = Answer(429)

_ANSWERS: Mapping[Manner, Sequence[Sequence[Step]]] = {
    Manner.STEADY: [(200,)],
    Manner.SLOW: [(200,)],
    Manner.HANGS: [(HANG,)],
    Manner.HANGS_AT_FIRST: [(HANG,), (200,)],
    Manner.REFUSES: [(500,)],
    Manner.GONE: [(410,)],
    Manner.BUSY: [(_BUSY,), (200,)],
    Manner.STALE: [(STALE,), (204,)],
    Manner.RECOVERS: [(500, 503, RESET, UNREACHABLE), (200,)],
    Manner.FLAKY: [(200, 200, 500, RESET, 302)],
}
"""What a platform says to the first requests of a delivery, and to the later ones."""


@dataclass(slots=True, eq=False)
class Request:
    """One request that reached a platform.

    Attributes:
        at: when it arrived.
        by: the process that made it.
        number: the attempt's.
        round: how often the delivery had been replayed by then.
        exchange: what came of it, as its sender saw it; None if the sender never saw.
        recorded_at: when its outcome was on disk; None if it never was.
        verdict: as recorded.
    """

    at: float
    by: str
    platform_id: str
    delivery_id: str
    number: int
    round: int
    body: bytes
    exchange: Exchange | None = None
    recorded_at: float | None = None
    verdict: Verdict | None = None

    @property
    def answered(self) -> bool:
        """Its sender knows what came of it."""
        return self.exchange is not None

    @property
    def status(self) -> int | None:
        """The answer's."""
        return self.exchange.status if isinstance(self.exchange, Answer) else None

    @property
    def told(self) -> bool:
        """Its sender knows that the platform knows."""
        return 200 <= (self.status or 0) < 300


class Platforms:
    """All of them, on the fake sender of the contract suite."""

    def __init__(self, plans: tuple[PlatformPlan, ...], chance: Random) -> None:
        self.requests: list[Request] = []
        self._plans = {one.id: one for one in plans}
        self._chance = chance
        self._asked: dict[str, int] = {}
        self.sender = FakeSender(self._answer)

    def pause_s(self, platform_id: str) -> float:
        """Return how long a platform thinks about a request."""
        plan = self._plans[platform_id]
        slow = plan.manner is Manner.SLOW
        return self._chance.uniform(0.3, 0.75) * plan.timeout_s if slow else 0.0

    def _answer(self, request: WebhookRequest) -> Step:
        plan = self._plans[request.platform_id]
        name = request.headers["webhook-id"]
        asked = self._asked[name] = self._asked.get(name, 0) + 1
        steps = _ANSWERS[plan.manner]
        step = self._chance.choice(steps[0] if asked <= plan.count else steps[-1])
        return replace(step, retry_after=str(plan.count)) if step == _BUSY else step


class LinedSender:
    """``flow.deliver.Sender`` of one worker."""

    def __init__(
        self,
        process: Process,
        weather: Weather,
        platforms: Platforms,
        round_of: Callable[[str], int],
        on_request: Callable[[Request], None],
    ) -> None:
        self._process = process
        self._weather = weather
        self._platforms = platforms
        self._round_of = round_of
        self._on_request = on_request

    async def send(self, request: WebhookRequest) -> Exchange | Unable:
        if self._weather.shortage is not None:
            return Unable(self._weather.shortage)
        made: Request | None = None
        try:
            async with asyncio.timeout(request.timeout_s):
                await self._weather.travel()
                made = self._arrives(request)
                if pause_s := self._platforms.pause_s(request.platform_id):
                    await asyncio.sleep(pause_s)
                exchange = _exchange(await self._platforms.sender.send(request))
                await self._weather.travel()
        except TimeoutError:
            exchange = Failure(FailureKind.TIMED_OUT, "no complete answer in time")
        made = made or self._arrives(request)  # frozen on its way, it was an attempt all the same
        made.exchange = exchange
        return exchange

    def _arrives(self, request: WebhookRequest) -> Request:
        name = request.headers["webhook-id"]
        made = Request(
            at=asyncio.get_running_loop().time(),
            by=self._process.name,
            platform_id=request.platform_id,
            delivery_id=name,
            number=int(request.headers["fanout-attempt"]),
            round=self._round_of(name),
            body=request.body,
        )
        self._platforms.requests.append(made)
        self._on_request(made)
        self._weather.done("arrive")
        return made


def _exchange(came: Exchange | Unable) -> Exchange:
    assert not isinstance(came, Unable), "a platform does not speak of our means"
    return came
