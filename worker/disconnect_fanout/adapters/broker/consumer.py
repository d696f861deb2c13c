"""The consumer: takes messages from ``fanout.events`` and hands each to a task that outlives it.

A lost connection cancels every consumer callback (measured), so the callback only creates a task.
Such work survives the loss; its ack then fails, and the redelivery is recognised by its rows.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from aiormq.abc import DeliveredMessage
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    wait_exponential_jitter,
)

from disconnect_fanout.adapters.broker.amqp_message import AmqpMessage
from disconnect_fanout.adapters.broker.subscription import Look, Prepare, Subscription, subscribe
from disconnect_fanout.flow.fact import DependencyChanged, Observe
from disconnect_fanout.flow.outage import (
    BrokerUnreachable,
    EverythingCrashes,
    OutOfMeans,
    StoreUnreachable,
)
from disconnect_fanout.flow.supervision.ending import ended
from disconnect_fanout.flow.supervision.held_tasks import HeldTasks
from disconnect_fanout.policy.faults.let_go import rest_s

_SHORTEST_BACKOFF_S = 0.2
_LONGEST_BACKOFF_S = 5.0
_END_WITHIN_S = 10.0


async def _nothing() -> None:
    """Look at nothing."""


class Consumer:
    """Consumes while ``may_consume`` says so, and again after every loss.

    Args:
        handle: takes one message to its ack.
        may_consume: returns when there is a reason to consume (a platform, a database).
        prepare: declares what is to be consumed, on each new connection and every few seconds.
        look: sees what ``prepare`` will have to put back; it may take its time, or fail.
        rest: seconds to rest after so many givings back without an event settled between them.
    """

    def __init__(
        self,
        *,
        url: str,
        queue: str,
        prefetch: int,
        handle: Callable[[AmqpMessage], Awaitable[None]],
        may_consume: Callable[[], Coroutine[Any, Any, None]],
        prepare: Prepare,
        observe: Observe,
        on_crash: Callable[[BaseException], None],
        rest: Callable[[int], float] = rest_s,
        look: Look = _nothing,
    ) -> None:
        self._url = url
        self._queue = queue
        self._prefetch = prefetch
        self._handle = handle
        self._may_consume = may_consume
        self._prepare = prepare
        self._look = look
        self._on_crash = on_crash
        self._observe = observe
        self._rest = rest
        self._handling = HeldTasks(on_crash)
        self._let_go = asyncio.Event()  # of the subscription under way
        self._out_of_means = False
        self._stopping = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._attached = False
        self._wanted = False
        self._taken = 0
        self._let_gos = 0  # in a row, since an event was settled last
        self._unsettled = False
        self._reachable = True
        self._problem: str | None = None

    @property
    def attached(self) -> bool:
        """Whether the broker sends us messages."""
        return self._attached

    @property
    def problem(self) -> str | None:
        """What kept us from being attached when it was tried last; None once we are."""
        return None if self._attached else self._problem

    @property
    def wanted(self) -> bool:
        """Whether there is a reason to consume, as far as ``may_consume`` has said."""
        return self._wanted

    @property
    def taken(self) -> int:
        """How many messages have come."""
        return self._taken

    async def run(self) -> None:
        """Consume until ``stop``."""
        while not self._stopping.is_set():
            self._wanted = False
            await _first(self._may_consume(), self._stopping.wait())
            self._wanted = not self._stopping.is_set()
            self._idle.clear()
            self._unsettled = False
            try:
                if (subscription := await self._attach()) is not None:
                    attached_at = time.monotonic()
                    lost = await self._hold(subscription) or self._out_of_means
                    self._out_of_means = False
                    if lost and time.monotonic() - attached_at < _LONGEST_BACKOFF_S:
                        # Whatever ended it so soon would burn the delivery limit of all that we
                        # hold, if we came back at once.
                        await self._pause(_LONGEST_BACKOFF_S)
            finally:
                self._idle.set()
            if self._unsettled:
                self._let_gos += 1
                await self._pause(self._rest(self._let_gos))

    def let_go(self) -> None:
        """Give everything back to the broker and ask ``may_consume`` again."""
        self._let_go.set()

    async def stop(self) -> None:
        """Take no more messages; return when those in hand are done and the broker knows it."""
        self._stopping.set()
        self._let_go.set()
        await self._idle.wait()
        await self._handling.finish()

    async def _attach(self) -> Subscription | None:
        """Attach, however long it takes; None if we are stopped before."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(BrokerUnreachable),
            wait=wait_exponential_jitter(
                multiplier=_SHORTEST_BACKOFF_S, max=_LONGEST_BACKOFF_S, jitter=0.2
            ),
            stop=lambda _: self._stopping.is_set(),
            sleep=self._pause,
            before_sleep=self._failed,
            retry_error_callback=lambda _: None,
        )
        subscription: Subscription | None = await retrying(self._subscribe)
        return subscription

    async def _subscribe(self) -> Subscription | None:
        if self._stopping.is_set():
            return None
        let_go = self._let_go = asyncio.Event()
        take = partial(self._take, let_go)
        return await subscribe(
            self._url,
            self._queue,
            self._prefetch,
            take,
            prepare=self._prepare,
            look=self._look_safely,
        )

    async def _look_safely(self) -> None:
        """A bug in what only looks must not end what consumes."""
        try:
            await self._look()
        except Exception as error:  # noqa: BLE001 - see above
            self._on_crash(error)

    async def _hold(self, subscription: Subscription) -> bool:
        """Keep it until somebody wants us to let go of it, or until it ends; tell if it did."""
        self._attached = True
        self._say(reachable=True)
        try:
            await _first(subscription.stands(), self._let_go.wait(), self._stopping.wait())
            if self._stopping.is_set():
                await subscription.cancel()
                self._attached = False
                await self._handling.finish()
        except BrokerUnreachable as error:
            self._say(reachable=False, detail=str(error))
            return True
        finally:
            self._attached = False
            await subscription.close()
        return False

    async def _take(self, let_go: asyncio.Event, message: DeliveredMessage) -> None:
        self._taken += 1
        self._handling.start(self._work(let_go, AmqpMessage(message)))

    async def _work(self, let_go: asyncio.Event, message: AmqpMessage) -> None:
        """Handle one message; an outage makes us let go of all that we hold, once."""
        try:
            await self._handle(message)
        except OutOfMeans:
            self._out_of_means = True
            let_go.set()
        except (StoreUnreachable, BrokerUnreachable, EverythingCrashes):
            self._unsettled = self._unsettled or not let_go.is_set()
            let_go.set()
        else:
            self._let_gos = 0

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    def _failed(self, state: RetryCallState) -> None:
        self._say(reachable=False, detail=str(state.outcome.exception() if state.outcome else ""))

    def _say(self, *, reachable: bool, detail: str = "") -> None:
        """Tell of a change once, not of every try."""
        self._problem = None if reachable else detail
        if reachable is not self._reachable:
            self._reachable = reachable
            self._observe(DependencyChanged("broker", reachable=reachable, detail=detail))


async def _first(*works: Coroutine[Any, Any, object]) -> None:
    """Return when the first is done, or raise what it raised; the others are cut short."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await ended(tasks, _END_WITHIN_S)
    for task in done:
        task.result()
