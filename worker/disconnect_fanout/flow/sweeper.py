"""The sweeper: the dead-letter queue holds exactly one letter for each dead row, within seconds.

One at a time per installation. It dead-letters what can't be sent, publishes letters whose worker
is gone, and when the queue's depth does not match the rows it shows every message to the store:
stale and double letters go, missing ones are published, what it does not know it leaves. When that
is worth its while, ``policy.sweep`` says.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from disconnect_fanout.flow.dead_letter_office import DeadLetterOffice
from disconnect_fanout.flow.fact import Observe
from disconnect_fanout.flow.letters import DeadLetterStore, LetterKey, LetterQueue
from disconnect_fanout.flow.outage import BrokerUnreachable, DataRefused, StoreUnreachable
from disconnect_fanout.flow.supervision.stumbles import Stumbles
from disconnect_fanout.policy.sweep import Look, compare_now

DUTY = "dead letters"
PERIOD_S = 2.0
_SHARE = 10
"""Looking takes a tenth of the time at most: millions of dead letters are counted for a while."""
_LONGEST_REST_S = 8.0
"""A look that took so long because broker or database did must not put the next one off."""
TERM_S = 6.0
"""A holder of the leader lease who does not renew it is followed by another after this long."""
OVERDUE_S = 5.0
_BATCH = 500


class LeaderLease(Protocol):
    """Work that one worker of the installation does at a time."""

    async def hold(self, name: str, holder: str, for_s: float) -> bool:
        """Take or renew; tell whether ``holder`` has it for the coming ``for_s`` seconds."""
        ...


class Sweeper:
    """Keeps queue and rows equal."""

    def __init__(
        self,
        *,
        store: DeadLetterStore,
        queue: LetterQueue,
        office: DeadLetterOffice,
        leader_lease: LeaderLease,
        worker: str,
        clock: Callable[[], float],
        observe: Observe,
    ) -> None:
        self._store = store
        self._queue = queue
        self._office = office
        self._leader_lease = leader_lease
        self._worker = worker
        self._clock = clock
        self.stumbles = Stumbles(DUTY, observe)
        self._last_look = Look()
        self._look_s = 0.0
        self._compared_at = clock()
        self._strangers = 0  # messages in the queue that are no letters of ours

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                if await self._on_duty():
                    await self.sweep()
                self.stumbles.went_well()
            except (StoreUnreachable, DataRefused, BrokerUnreachable) as error:
                self.stumbles.stumbled(error)
            await asyncio.sleep(min(max(PERIOD_S, _SHARE * self._look_s), _LONGEST_REST_S))

    async def sweep(self) -> None:
        """Bring queue and rows into step once."""
        await self._store.dead_letter_undeliverable()
        while (letters := await self._store.overdue(OVERDUE_S, _BATCH)) and await self._on_duty():
            await self._office.publish(letters)
        began = self._clock()
        open_letters = sum((await self._store.count_dead()).values())
        depth = await self._queue.depth()
        self._look_s = self._clock() - began
        look = Look(depth, depth - open_letters - self._strangers)
        if compare_now(self._last_look, look, began - self._compared_at):
            await self._compare(open_letters)
            self._compared_at = self._clock()
            look = Look()
        self._last_look = look

    async def _on_duty(self) -> bool:
        return await self._leader_lease.hold(DUTY, self._worker, TERM_S)

    async def _compare(self, open_letters: int) -> None:
        seen: set[str] = set()
        strangers, on_duty = 0, True

        async def select_stale(keys: Sequence[LetterKey | None]) -> Collection[int]:
            nonlocal strangers, on_duty
            on_duty = on_duty and await self._on_duty()
            if not on_duty:  # we were too slow, and another is at it
                return []
            known = [key for key in keys if key is not None]
            strangers += len(keys) - len(known)
            standing = await self._store.standing([key.delivery_id for key in known])
            stale: list[int] = []
            for index, key in enumerate(keys):
                if key is None:
                    continue
                current = standing.get(key.delivery_id) == key.replays
                if not current or key.delivery_id in seen:
                    stale.append(index)
                else:
                    seen.add(key.delivery_id)
            return stale

        await self._queue.purge(select_stale)
        if on_duty:
            self._strangers = strangers
            if len(seen) < open_letters:
                await self._publish_missing(seen)

    async def _publish_missing(self, seen: Collection[str]) -> None:
        """Someone purged or consumed letters that are still open."""
        after = ""
        while (letters := await self._store.dead(after, _BATCH)) and await self._on_duty():
            await self._office.publish([one for one in letters if one.delivery_id not in seen])
            after = letters[-1].delivery_id
