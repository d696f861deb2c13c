"""One delivery: sign → send → classify → decide → record."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from disconnect_fanout.domain.attempt import Attempt
from disconnect_fanout.domain.delivery import Progress
from disconnect_fanout.domain.outcome import Answer, Exchange, Shortage, Unable
from disconnect_fanout.flow.bulkheads import Bulkheads
from disconnect_fanout.flow.dead_letter_office import DeadLetterOffice
from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.flow.fact import (
    AttemptFinished,
    AttemptGivenBack,
    DeadLetterDecided,
    Observe,
)
from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.flow.recorder import Recorder
from disconnect_fanout.flow.resolver import Admitted
from disconnect_fanout.flow.webhook import EncodeBody, WebhookRequest, compose
from disconnect_fanout.policy.change import Attempted, GivenBack
from disconnect_fanout.policy.classify import classify, result_of
from disconnect_fanout.policy.decide import DeadLettered, RetryPolicy, TryAgainNow, Verdict, decide
from disconnect_fanout.policy.own_fault import due_again_s, shortage_of

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
    recorded: asyncio.Future[None]


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
            ended = await self._attempt_with_second_try(job, arrived_at)
            exchange, verdict = ended.exchange, ended.verdict
            await (
                ended.recorded
            )  # the slot is held until then: so much, and no more, can be unrecorded
        finally:
            self._in_hand.discard(job.delivery.id)
            self._bulkheads.release(job.ticket, exchange)
        if isinstance(verdict, DeadLettered):
            if verdict.disables_platform:
                with suppress(StoreUnreachable):  # then the next refresh tells
                    await self._directory.refresh()
            if not job.delivery.progress.delivered:
                self._observe(DeadLetterDecided(job.delivery.id, job.platform.id, verdict.reason))
                self._office.post(job.delivery.id)

    async def _attempt_with_second_try(self, job: Admitted, arrived_at: float | None) -> _Ended:
        began = self._clocks.monotonic()
        first = await self._attempt(job, arrived_at)
        if not isinstance(first.verdict, TryAgainNow):
            return first
        left_s = job.platform.timeout_s - (self._clocks.monotonic() - began)
        return await self._attempt(
            _next(job), arrived_at, second_within_s=max(left_s, _LEAST_SECOND_TRY_S)
        )

    async def _attempt(
        self, job: Admitted, arrived_at: float | None, *, second_within_s: float | None = None
    ) -> _Ended:
        number = job.delivery.progress.attempts + 1
        at, began = self._clocks.wall(), self._clocks.monotonic()
        exchange = await self._request(job, number, at, second_within_s)
        if isinstance(exchange, Unable):
            return self._give_back(job, exchange.shortage)
        took_s = self._clocks.monotonic() - began
        return self._record(
            job,
            _attempt(number, at, exchange, took_s, job.delivery.progress),
            exchange,
            took_s=took_s,
            latency_s=None if arrived_at is None else began + took_s - arrived_at,
            fresh=second_within_s is not None,
        )

    async def _request(
        self, job: Admitted, number: int, at: datetime, second_within_s: float | None
    ) -> Exchange | Unable:
        """Sign and send; what fails before that for our own want is no request."""
        try:
            request = compose(job.delivery, job.platform, number, at, self._encode)
        except Exception as error:
            if (shortage := shortage_of(error)) is None:
                raise
            return Unable(shortage)
        if second_within_s is not None:  # both tries share one time-out, and so one lease
            request = replace(request, fresh=True, timeout_s=second_within_s)
        return await self._sender.send(request)

    def _give_back(self, job: Admitted, shortage: Shortage) -> _Ended:
        """No attempt was made and none is burned; what comes next rests a little as well."""
        delivery, platform = job.delivery, job.platform
        self._bulkheads.rest(platform.id, shortage)
        wait_s = due_again_s(self._clocks.chance())
        recorded = self._recorder.record(GivenBack(delivery.id, delivery.lease, wait_s))
        self._observe(AttemptGivenBack(delivery.id, platform.id, shortage))
        return _Ended(None, None, recorded)

    def _record(
        self,
        job: Admitted,
        attempt: Attempt,
        exchange: Exchange,
        *,
        took_s: float,
        latency_s: float | None,
        fresh: bool,
    ) -> _Ended:
        delivery, platform = job.delivery, job.platform
        outcome = classify(exchange, self._clocks.wall())
        verdict = decide(
            outcome, delivery.progress, self._policy, self._clocks.chance(), fresh=fresh
        )
        recorded = self._recorder.record(
            Attempted(delivery.id, platform.id, delivery.lease, attempt, verdict, platform.revision)
        )
        self._observe(
            AttemptFinished(
                delivery_id=delivery.id,
                event_id=delivery.event.id,
                platform_id=platform.id,
                attempt=attempt.number,
                result=attempt.result,
                status=attempt.status,
                duration_s=took_s,
                verdict=verdict,
                replay=attempt.replay,
                delivered=delivery.progress.delivered,
                latency_s=latency_s,
                detail=exchange.remark if isinstance(exchange, Answer) else exchange.detail,
            )
        )
        return _Ended(exchange, verdict, recorded)


def _next(job: Admitted) -> Admitted:
    """The same delivery, one attempt later; the schedule has not advanced."""
    before = job.delivery.progress
    progress = replace(before, attempts=before.attempts + 1)
    return replace(job, delivery=replace(job.delivery, progress=progress))


def _attempt(
    number: int, at: datetime, exchange: Exchange, took_s: float, progress: Progress
) -> Attempt:
    status, answer = (
        (exchange.status, exchange.words)
        if isinstance(exchange, Answer)
        else (None, exchange.detail)
    )
    return Attempt(
        number=number,
        at=at,
        result=result_of(exchange),
        status=status,
        duration_ms=round(took_s * 1000),
        answer=answer,
        replay=progress.replays > 0,
    )
