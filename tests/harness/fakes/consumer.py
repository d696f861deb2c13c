"""A consumer of ``fanout.events`` in memory: ``adapters.broker.consumer`` without a wire."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any

from tests.harness.fakes.broker import FakeBroker, FakeDelivered, FakeSession, FakeWire

from disconnect_fanout.flow.outage import (
    BrokerUnreachable,
    EverythingCrashes,
    OutOfMeans,
    StoreUnreachable,
)
from disconnect_fanout.flow.supervision.held_tasks import HeldTasks

_LOOK_AGAIN_S = 0.2


class FakeConsumer:
    """Consumes while ``may_consume`` says so, and again after every loss.

    Args:
        backoff_s: how long what ended at once is left alone.
    """

    def __init__(
        self,
        broker: FakeBroker,
        wire: FakeWire,
        *,
        prefetch: int,
        handle: Callable[[FakeDelivered], Awaitable[None]],
        may_consume: Callable[[], Coroutine[Any, Any, None]],
        on_crash: Callable[[BaseException], None],
        backoff_s: float = 5.0,
    ) -> None:
        self._broker = broker
        self._wire = wire
        self._prefetch = prefetch
        self._handle = handle
        self._may_consume = may_consume
        self._handling = HeldTasks(on_crash)
        self._backoff_s = backoff_s
        self._let_go = asyncio.Event()
        self._stopping = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._context = Context()
        self.attached = False
        self.wanted = False
        self.taken = 0

    async def run(self) -> None:
        """Consume until ``stop``."""
        self._context = copy_context()  # the broker pushes; the work is ours all the same
        while not self._stopping.is_set():
            self.wanted = False
            await _first(self._may_consume(), self._stopping.wait())
            self.wanted = not self._stopping.is_set()
            self._idle.clear()
            try:
                if (session := await self._attach()) is not None:
                    began = asyncio.get_running_loop().time()
                    lost = await self._hold(session)
                    if lost and asyncio.get_running_loop().time() - began < self._backoff_s:
                        await self._pause(self._backoff_s)
            finally:
                self._idle.set()

    def let_go(self) -> None:
        """Give everything back to the broker and ask ``may_consume`` again."""
        self._let_go.set()

    async def stop(self) -> None:
        """Take no more messages; return when those in hand are done."""
        self._stopping.set()
        self._let_go.set()
        await self._idle.wait()
        await self._handling.finish()

    async def _attach(self) -> FakeSession | None:
        while not self._stopping.is_set():
            let_go = self._let_go = asyncio.Event()

            def take(message: FakeDelivered, let_go: asyncio.Event = let_go) -> None:
                self.taken += 1
                self._context.copy().run(self._handling.start, self._work(let_go, message))

            with suppress(BrokerUnreachable):
                await self._wire.travel()
                return self._broker.attach(self._broker.events, self._wire, self._prefetch, take)
            await self._pause(_LOOK_AGAIN_S)
        return None

    async def _hold(self, session: FakeSession) -> bool:
        """Keep it until somebody wants us to let go of it, or until it ends; tell if it did."""
        self.attached = True
        await _first(session.ended.wait(), self._let_go.wait(), self._stopping.wait())
        lost = session.ended.is_set()
        if self._stopping.is_set():
            session.prefetch = 0
            self.attached = False
            await self._handling.finish()
        self.attached = False
        session.end()
        return lost

    async def _work(self, let_go: asyncio.Event, message: FakeDelivered) -> None:
        try:
            await self._handle(message)
        except (StoreUnreachable, BrokerUnreachable, EverythingCrashes, OutOfMeans):
            let_go.set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


async def _first(*works: Coroutine[Any, Any, object]) -> None:
    """Return when the first is done; the others are cut short."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if task in done:
            task.result()
