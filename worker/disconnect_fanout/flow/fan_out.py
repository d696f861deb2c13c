"""One event: decode → resolve → tell → ack. The ack is the last line, and unique.

A connect event tells nobody of itself: decode → learn → ack.
"""

import asyncio
from collections.abc import Callable
from typing import TypeAlias, assert_never

from disconnect_fanout.domain.connection import ConnectEvent
from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.domain.rejection import Rejection, RejectReason
from disconnect_fanout.flow.dead_letter_office import DeadLetterOffice
from disconnect_fanout.flow.deliver import Deliverer
from disconnect_fanout.flow.fact import (
    DeadLetterDecided,
    EventHandled,
    EventOutcome,
    Observe,
    RanShort,
)
from disconnect_fanout.flow.incoming import Incoming, RejectBox
from disconnect_fanout.flow.intent import Registration
from disconnect_fanout.flow.links.keeper import Linked, LinkKeeper
from disconnect_fanout.flow.outage import (
    BrokerUnreachable,
    DataRefused,
    EverythingCrashes,
    OutOfMeans,
    StoreUnreachable,
)
from disconnect_fanout.flow.recorder import Recorder
from disconnect_fanout.flow.resolver import FannedOut, Resolution, Resolver
from disconnect_fanout.flow.supervision.held_tasks import HeldTasks
from disconnect_fanout.policy.change import Barrier, CopySeen
from disconnect_fanout.policy.faults.blame import Crashes, crashed
from disconnect_fanout.policy.faults.own_fault import shortage_of

FIRST_ATTEMPTS_S = 1.0
"""An event is held for its first attempts at most this long; then the leases answer for them."""

Decode: TypeAlias = Callable[[Incoming], DisconnectEvent | ConnectEvent | Rejection]


class FanOut:
    """Takes events from the queue to the point where the broker may forget them."""

    def __init__(
        self,
        *,
        decode: Decode,
        resolver: Resolver,
        links: LinkKeeper,
        deliverer: Deliverer,
        recorder: Recorder,
        office: DeadLetterOffice,
        rejects: RejectBox,
        sending: HeldTasks,
        observe: Observe,
        on_crash: Callable[[BaseException], None],
    ) -> None:
        self._decode = decode
        self._resolver = resolver
        self._links = links
        self._deliverer = deliverer
        self._recorder = recorder
        self._office = office
        self._rejects = rejects
        self._sending = sending
        self._observe = observe
        self._on_crash = on_crash
        self._crashes = Crashes()

    @property
    def problem(self) -> str | None:
        """What keeps us from handling events, in plain words: our own code, if it fails on all."""
        if not self._crashes.hits_everything:
            return None
        return f"our own code fails on every event ({self._crashes.kind}); the log says where"

    async def handle(self, message: Incoming) -> None:
        """Fan one message out.

        Raises:
            StoreUnreachable: the database did not answer for a minute; not acked.
            BrokerUnreachable: a rejection was not confirmed; not acked.
            OutOfMeans: something was wanting here, which is not the event's fault; not acked.
            EverythingCrashes: a bug that is no single event's; not acked.
        """
        try:
            await self._settle(message)
        except (StoreUnreachable, BrokerUnreachable):
            raise
        except Exception as error:  # a bug must neither lose an event nor stop the rest
            if (shortage := shortage_of(error)) is not None:
                self._observe(RanShort(shortage))
                raise OutOfMeans(shortage.words) from error
            self._on_crash(error)
            await self._blame(message, error)
        await message.ack()

    async def _settle(self, message: Incoming) -> None:
        """Return when what came of the message is on disk."""
        match self._decode(message):
            case Rejection() as why:  # says nothing of what becomes of events
                await self._reject(message, why)
                return
            case ConnectEvent() as event:
                await self._learn(message, event)
            case DisconnectEvent() as event:
                await self._fan_out(message, event)
            case unknown:
                assert_never(unknown)  # else it would be acked unread
        self._crashes = Crashes()

    async def _blame(self, message: Incoming, error: Exception) -> None:
        """Set an event aside that alone meets a bug; hold them all if others meet it too."""
        name = message.message_id or str(hash(message.body))
        self._crashes = crashed(self._crashes, type(error).__name__, name)
        if self._crashes.hits_everything:
            raise EverythingCrashes(type(error).__name__) from error
        await self._reject(message, _unprocessable(error))

    async def _learn(self, message: Incoming, event: ConnectEvent) -> None:
        match await self._links.learn(event):
            case Linked(recipients=recipients):
                self._observe(EventHandled(EventOutcome.LINKED, event.id, recipients))
            case Rejection() as why:
                await self._reject(message, why)
            case Registration.CONFLICT:
                await self._reject(message, _conflict(event.id))
            case Registration():
                self._observe(EventHandled(EventOutcome.DUPLICATE, event.id))

    async def _fan_out(self, message: Incoming, event: DisconnectEvent) -> None:
        """Return when the fate of each delivery of the event is on disk."""
        again = False
        while True:
            outages = self._resolver.outages
            await self._follow(message, event, await self._resolver.resolve(event), again=again)
            if self._resolver.outages == outages:
                return
            # A database that crashed has lost what was not on its disk yet, and our own commits
            # since then say nothing about an intent before: look whether the event is still there.
            again = True

    async def _follow(
        self, message: Incoming, event: DisconnectEvent, resolution: Resolution, *, again: bool
    ) -> None:
        match resolution:
            case FannedOut(recipients=0) as plan:
                await self._recorder.record(Barrier())
                self._observe(_handled(EventOutcome.NO_RECIPIENTS, event, plan))
            case FannedOut() as plan:
                self._observe(_handled(EventOutcome.FANNED_OUT, event, plan))
                await self._tell(plan, message.arrived_at)
            case Registration.CONFLICT:
                await self._reject(message, _conflict(event.id))
            case Registration.KNOWN if again:
                await self._recorder.record(Barrier())
            case Registration():
                await self._recorder.record(CopySeen(event.id))
                self._observe(EventHandled(EventOutcome.DUPLICATE, event.id))

    async def _tell(self, plan: FannedOut, arrived_at: float) -> None:
        attempts = [
            self._sending.start(self._deliverer.deliver(job, arrived_at)) for job in plan.admitted
        ]
        if attempts:
            await asyncio.wait(attempts, timeout=FIRST_ATTEMPTS_S)
        if not any(map(_recorded, attempts)):
            await self._recorder.record(Barrier())  # nothing else has flushed the intent yet
        for delivery, reason in plan.dead:
            self._observe(DeadLetterDecided(delivery.id, delivery.platform_id, reason))
            self._office.post(delivery.id)

    async def _reject(self, message: Incoming, why: Rejection) -> None:
        await self._rejects.put(message, why)
        self._observe(
            EventHandled(EventOutcome.REJECTED, why.event_id, reason=why.reason, detail=why.detail)
        )


def _handled(outcome: EventOutcome, event: DisconnectEvent, plan: FannedOut) -> EventHandled:
    return EventHandled(outcome, event.id, plan.recipients, near_misses=plan.near_misses)


def _recorded(attempt: asyncio.Task[None]) -> bool:
    return attempt.done() and not attempt.cancelled() and attempt.exception() is None


def _unprocessable(error: Exception) -> Rejection:
    what = f"the worker failed on it ({type(error).__name__}, see its log)"
    if isinstance(error, DataRefused):
        what = f"the database takes others and refuses this one ({error})"
    return Rejection(RejectReason.UNPROCESSABLE, f"{what}; replay it once mended")


def _conflict(event_id: str) -> Rejection:
    return Rejection(
        RejectReason.ID_CONFLICT,
        "another event with other content was fanned out under this id; publish with a new id",
        event_id,
    )
