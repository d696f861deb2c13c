"""The relay: what the database has promised to tell is published, confirmed, and then forgotten.

Several may run, in the API's process and in workers. Each takes some rows for a while, publishes
them side by side and deletes them. Whatever cuts this short, the rows are taken again later; the
same event twice is told once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from disconnect_fanout.domain.event import DisconnectEvent
from disconnect_fanout.flow.fact import Observe
from disconnect_fanout.flow.outage import BrokerUnreachable, DataRefused, StoreUnreachable
from disconnect_fanout.flow.stumbles import Stumbles

TAKEN_FOR_S = 30.0
_MOST_AT_ONCE = 100
_POLL_S = 1.0
_DUTY = "outbox"


@dataclass(frozen=True, slots=True)
class Promise:
    """One row of the outbox."""

    number: int
    event: DisconnectEvent


class Outbox(Protocol):
    """Events that were written together with what they tell of."""

    async def take(self, limit: int, for_s: float) -> Sequence[Promise]:
        """Take the oldest ones that nobody else has taken.

        Raises:
            StoreUnreachable: what was taken is free again after ``for_s``.
        """
        ...

    async def give_back(self, numbers: Sequence[int]) -> None:
        """Let others, or the next turn, have what could not be published.

        Raises:
            StoreUnreachable: it is free again after the time for which it was taken.
        """
        ...

    async def kept(self, numbers: Sequence[int]) -> None:
        """Forget what was published.

        Raises:
            StoreUnreachable: it will be published once more.
        """
        ...


Publish = Callable[[DisconnectEvent], Awaitable[None]]
"""Publishes with confirm, or raises BrokerUnreachable."""


class Relay:
    """Publishes as soon as it is told to, and looks once a second for what others left."""

    def __init__(self, outbox: Outbox, publish: Publish, observe: Observe) -> None:
        self._outbox = outbox
        self._publish = publish
        self.stumbles = Stumbles(_DUTY, observe)
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is something new."""
        self._wake.set()

    async def run(self) -> None:
        """Relay until cancelled."""
        while True:
            self._wake.clear()
            try:
                while await self.turn():
                    pass
                self.stumbles.went_well()
            except (StoreUnreachable, DataRefused, BrokerUnreachable) as error:
                await asyncio.sleep(self.stumbles.stumbled(error))
            else:
                await self._rest()

    async def turn(self) -> int:
        """Publish a batch; return how many were published.

        Raises:
            StoreUnreachable, BrokerUnreachable: what is left is published later.
        """
        promises = await self._outbox.take(_MOST_AT_ONCE, TAKEN_FOR_S)
        ends = await asyncio.gather(
            *(self._publish(one.event) for one in promises), return_exceptions=True
        )
        kept = [one.number for one, end in zip(promises, ends, strict=True) if end is None]
        if kept:
            await self._outbox.kept(kept)
        failed = [end for end in ends if end is not None]
        if failed:
            await self._outbox.give_back([one.number for one in promises if one.number not in kept])
            raise failed[0]
        return len(kept)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_POLL_S):
                await self._wake.wait()
        except TimeoutError:
            pass
