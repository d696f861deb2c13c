"""The dead-letter office: a decided delivery gets its letter, and only then turns dead.

The decision is committed first (no more requests), then the letter is published with confirm, then
the row turns dead. Whatever cuts this short, the sweeper finds the decided row and comes again.
"""

import asyncio
from collections.abc import Callable, Sequence

from disconnect_fanout.domain.dead_letter import DeadLetter
from disconnect_fanout.flow.batcher import Batcher
from disconnect_fanout.flow.fact import DutyFailed, Observe
from disconnect_fanout.flow.letters import DeadLetterStore, LetterQueue
from disconnect_fanout.flow.outage import BrokerUnreachable, DataRefused, StoreUnreachable
from disconnect_fanout.flow.recorder import Recorder
from disconnect_fanout.flow.supervision.held_tasks import HeldTasks
from disconnect_fanout.policy.change import LetterConfirmed

_LARGEST_BATCH = 200
_MOST_WAITING = 2000


class DeadLetterOffice:
    """Publishes letters for decided rows."""

    def __init__(
        self,
        store: DeadLetterStore,
        queue: LetterQueue,
        recorder: Recorder,
        observe: Observe,
        on_crash: Callable[[BaseException], None],
    ) -> None:
        self._store = store
        self._queue = queue
        self._recorder = recorder
        self._observe = observe
        self._tasks = HeldTasks(on_crash)
        self._batcher: Batcher[str, None] = Batcher(self._post_batch, _LARGEST_BATCH)

    def post(self, delivery_id: str) -> None:
        """See to the letter of a delivery whose decision is on disk; don't wait for it.

        Where too many wait already it is left to the sweeper, so that memory stays bounded.
        """
        if len(self._tasks) < _MOST_WAITING:
            self._tasks.start(self._post_one(delivery_id))

    async def publish(self, letters: Sequence[DeadLetter]) -> None:
        """Publish letters side by side and turn their rows dead.

        Raises:
            BrokerUnreachable: some were not confirmed; their rows stay decided.
        """
        ends = await asyncio.gather(
            *(self._publish_one(letter) for letter in letters), return_exceptions=True
        )
        for end in ends:
            if end is not None:
                raise end

    async def finish(self) -> None:
        """Wait until everything posted is done, or left to the sweeper."""
        await self._tasks.finish()

    async def _post_one(self, delivery_id: str) -> None:
        try:
            await self._batcher.submit(delivery_id)
        except (StoreUnreachable, DataRefused, BrokerUnreachable) as error:
            self._observe(DutyFailed("dead letters", str(error)))

    async def _post_batch(self, delivery_ids: Sequence[str]) -> Sequence[None]:
        await self.publish(await self._store.decided(delivery_ids))
        return [None] * len(delivery_ids)

    async def _publish_one(self, letter: DeadLetter) -> None:
        await self._queue.publish(letter)
        await self._recorder.record(LetterConfirmed(letter.delivery_id, letter.replays))
