"""Natural batching: while one batch is at work, the next one gathers.

Under light load an item is alone and waits for nobody; under heavy load hundreds share one commit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from disconnect_fanout.flow.outage import BrokerUnreachable, StoreUnreachable

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class WrongCount(Exception):
    """A bug: not each item got an answer, so that nobody knows which is whose."""


class Batcher(Generic[Item, Answer]):
    """Hands items to ``work`` in batches, one batch at a time, in the order of their arrival.

    Args:
        work: takes a batch, returns one answer for each item.
        largest: items in one batch at most.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]], largest: int
    ) -> None:
        self._work = work
        self._largest = largest
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._at_work: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._runner: asyncio.Task[None] | None = None

    def submit(self, item: Item) -> asyncio.Future[Answer]:
        """Queue an item; the future holds its answer, or what ``work`` raised."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return future

    @property
    def unanswered(self) -> list[Item]:
        """What is at work or waits for it."""
        return [item for item, _ in self._at_work + self._waiting]

    async def drain(self) -> None:
        """Wait until everything submitted so far has its answer, whatever comes later."""
        submitted = [future for _, future in self._at_work + self._waiting if not future.done()]
        if submitted:
            await asyncio.wait(submitted)

    async def _run(self) -> None:
        while self._waiting:
            self._at_work = self._waiting[: self._largest]
            del self._waiting[: self._largest]
            await self._answer(self._at_work)
            self._at_work = []

    async def _answer(self, batch: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._work([item for item, _ in batch])
        except (StoreUnreachable, BrokerUnreachable) as error:
            for _, future in batch:  # nobody's fault; one by one would only take longer
                _fail(future, error)
        except Exception as error:  # noqa: BLE001 - handed on to whoever awaits the item
            await self._singly(batch, error)
        except asyncio.CancelledError:
            for _, future in batch + self._waiting:
                future.cancel()
            self._waiting.clear()
            raise
        else:
            _hand_out([future for _, future in batch], answers)

    async def _singly(
        self, batch: list[tuple[Item, asyncio.Future[Answer]]], error: Exception
    ) -> None:
        """One bad item must not fail its neighbours."""
        if len(batch) > 1:
            for one in batch:
                await self._answer([one])
        else:
            _fail(batch[0][1], error)


def _hand_out(futures: Sequence[asyncio.Future[Answer]], answers: Sequence[Answer]) -> None:
    if len(answers) != len(futures):
        for future in futures:
            _fail(future, WrongCount(f"{len(answers)} answers to {len(futures)} items"))
        return
    for future, answer in zip(futures, answers, strict=True):
        if not future.done():
            future.set_result(answer)


def _fail(future: asyncio.Future[Answer], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
