"""One delivery: exchange → judge → record → report."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from disconnect_fanout.domain.outcome import Answer, Exchange, Shortage, Unable
from disconnect_fanout.flow.bulkheads import Bulkheads
from disconnect_fanout.flow.dead_letter_office import DeadLetterOffice
from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.flow.fact import (
    AttemptFinished,
    AttemptGivenBack,
    DeadLetterDecided,
    DeliveryDelivered,
    Observe,
)
from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.flow.recorder import Recorded, Recorder
from disconnect_fanout.flow.resolver import Admitted
from disconnect_fanout.flow.webhook import EncodeBody, WebhookRequest, compose
from disconnect_fanout.policy.change import Attempted, GivenBack
from disconnect_fanout.policy.decide import (
    DeadLettered,
    Delivered,
    RetryPolicy,
    TryAgainNow,
    Verdict,
)
from disconnect_fanout.policy.faults.own_fault import due_again_s, shortage_of
from disconnect_fanout.policy.judge import Judgement, Made, judge

_LEAST_SECOND_TRY_S = 1.0


class Sender(Protocol):
    """Makes requests."""

    async def send(self, request: WebhookRequest) -> Exchange | Unable:
        """Return what came of it; never raises for anything that a platform can do.

        ``Unable`` says that no request was made, for our own want.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Ended:
    """What came of an attempt.

    Attributes:
        exchange: None if no request was made.
        verdict: None if the delivery was given back.
        recorded: done when that is on disk.
    """

    exchange: Exchange | None
    verdict: Verdict | None
    recorded: asyncio.Future[Recorded]


@dataclass(frozen=True, slots=True)
class _SecondTry:
    """Once more, on a fresh connection, with what is left of the time."""

    within_s: float


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time and chance, handed in.

    Attributes:
        wall: the instant, UTC.
        monotonic: seconds that never run backwards.
        chance: uniform in [0, 1).
    """

    wall: Callable[[], datetime]
    monotonic: Callable[[], float]
    chance: Callable[[], float]


class Deliverer:
    """Makes attempts, and records each before anybody may ack on its strength."""

    def __init__(
        self,
        *,
        sender: Sender,
        recorder: Recorder,
        bulkheads: Bulkheads,
        directory: Directory,
        office: DeadLetterOffice,
        policy: RetryPolicy,
        encode: EncodeBody,
        clocks: Clocks,
        observe: Observe,
    ) -> None:
        self._sender = sender
        self._recorder = recorder
        self._bulkheads = bulkheads
        self._directory = directory
        self._office = office
        self._policy = policy
        self._encode = encode
        self._clocks = clocks
        self._observe = observe
        self._in_hand: set[str] = set()

    @property
    def in_hand(self) -> frozenset[str]:
        """Ids of the deliveries that this worker is sending or recording."""
        return frozenset(self._in_hand)

    async def deliver(self, job: Admitted, arrived_at: float | None = None) -> None:
        """Attempt a delivery and return when its outcome is on disk.

        Args:
            job: under a lease and with a slot; the slot is released here.
            arrived_at: when its event came in, for the latency; None for a later attempt.
        """
        self._in_hand.add(job.delivery.id)
        exchange: Exchange | None = None
        try:
            ended = await self._try(job, arrived_at)
            exchange = ended.exchange
            # The slot is held until then: so much, and no more, can be unrecorded.
            recorded = await ended.recorded
        finally:
            self._in_hand.discard(job.delivery.id)
            self._bulkheads.release(job.ticket, exchange)
        if recorded is Recorded.APPLIED:
            await self._follow_up(job, ended.verdict)

    async def _try(self, job: Admitted, arrived_at: float | None) -> _Ended:
        """Make an attempt, and another at once if a kept connection turned out to be dead.

        Both share one time-out, and so one lease.
        """
        began = self._clocks.monotonic()
        first = await self._attempt(job, arrived_at)
        if not isinstance(first.verdict, TryAgainNow):
            return first
        left_s = job.platform.timeout_s - (self._clocks.monotonic() - began)
        second = _SecondTry(within_s=max(left_s, _LEAST_SECOND_TRY_S))
        return await self._attempt(_next(job), arrived_at, second)

    async def _attempt(
        self, job: Admitted, arrived_at: float | None, second: _SecondTry | None = None
    ) -> _Ended:
        began = self._clocks.monotonic()
        made = await self._exchange(job, second)
        if isinstance(made, Unable):
            return self._give_back(job, made.shortage)
        progress, chance = job.delivery.progress, self._clocks.chance()
        judged = judge(made, progress, self._policy, self._clocks.wall(), chance)
        recorded = self._record(job, judged)
        latency_s = None if arrived_at is None else began + made.took_s - arrived_at
        self._report(job, made, judged, latency_s)
        return _Ended(made.exchange, judged.verdict, recorded)

    async def _exchange(self, job: Admitted, second: _SecondTry | None) -> Made | Unable:
        """Sign and send; what fails before that for our own want is no request."""
        number = job.delivery.progress.attempts + 1
        at, began = self._clocks.wall(), self._clocks.monotonic()
        try:
            request = compose(job.delivery, job.platform, number, at, self._encode)
        except Exception as error:
            if (shortage := shortage_of(error)) is None:
                raise
            return Unable(shortage)
        if second is not None:
            request = replace(request, fresh=True, timeout_s=second.within_s)
        exchange = await self._sender.send(request)
        if isinstance(exchange, Unable):
            return exchange
        took_s = self._clocks.monotonic() - began
        return Made(number, at, took_s, exchange, second=second is not None)

    def _give_back(self, job: Admitted, shortage: Shortage) -> _Ended:
        """No attempt was made and none is burned; what comes next rests a little as well."""
        delivery, platform = job.delivery, job.platform
        self._bulkheads.rest(platform.id, shortage)
        wait_s = due_again_s(self._clocks.chance())
        recorded = self._recorder.record(GivenBack(delivery.id, delivery.lease, wait_s))
        self._observe(AttemptGivenBack(delivery.id, platform.id, shortage))
        return _Ended(None, None, recorded)

    def _record(self, job: Admitted, judged: Judgement) -> asyncio.Future[Recorded]:
        delivery, platform = job.delivery, job.platform
        return self._recorder.record(
            Attempted(
                delivery.id,
                platform.id,
                delivery.lease,
                judged.attempt,
                judged.verdict,
                platform.revision,
            )
        )

    def _report(
        self, job: Admitted, made: Made, judged: Judgement, latency_s: float | None
    ) -> None:
        attempt, exchange = judged.attempt, made.exchange
        self._observe(
            AttemptFinished(
                delivery_id=job.delivery.id,
                event_id=job.delivery.event.id,
                platform_id=job.platform.id,
                attempt=attempt.number,
                result=attempt.result,
                status=attempt.status,
                duration_s=made.took_s,
                verdict=judged.verdict,
                replay=attempt.replay,
                delivered=job.delivery.progress.delivered,
                latency_s=latency_s,
                detail=exchange.remark if isinstance(exchange, Answer) else exchange.detail,
            )
        )

    async def _follow_up(self, job: Admitted, verdict: Verdict | None) -> None:
        """See to what follows from a verdict that is on disk, and that nobody has fenced out."""
        if isinstance(verdict, DeadLettered):
            await self._bury(job, verdict)
        elif isinstance(verdict, Delivered) and not job.delivery.progress.delivered:
            self._observe(DeliveryDelivered(job.delivery.id, job.platform.id))

    async def _bury(self, job: Admitted, verdict: DeadLettered) -> None:
        """See to what follows a death that is on disk: the platform's state, the letter."""
        if verdict.disables_platform:
            with suppress(StoreUnreachable):  # then the next refresh tells
                await self._directory.refresh()
        if not job.delivery.progress.delivered:
            self._observe(DeadLetterDecided(job.delivery.id, job.platform.id, verdict.reason))
            self._office.post(job.delivery.id)


def _next(job: Admitted) -> Admitted:
    """The same delivery, one attempt later; the schedule has not advanced."""
    before = job.delivery.progress
    progress = replace(before, attempts=before.attempts + 1)
    return replace(job, delivery=replace(job.delivery, progress=progress))
