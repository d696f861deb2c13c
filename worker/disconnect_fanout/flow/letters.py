"""What the dead-letter office needs of the store and of the broker."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from disconnect_fanout.domain.dead_letter import DeadLetter


@dataclass(frozen=True, slots=True)
class LetterKey:
    """Which letter a message in the dead-letter queue is."""

    delivery_id: str
    replays: int


class DeadLetterStore(Protocol):
    """The rows behind the letters. *Decided* is dead without a confirmed letter yet."""

    async def decided(self, delivery_ids: Collection[str]) -> Sequence[DeadLetter]:
        """Return the letters of those among the ids whose row is decided."""
        ...

    async def overdue(self, older_than_s: float, limit: int) -> Sequence[DeadLetter]:
        """Return letters of rows that have been decided for so long that their worker is gone."""
        ...

    async def standing(self, keys: Collection[str]) -> Mapping[str, int]:
        """Return, for those ids whose row is decided or dead, their count of replays."""
        ...

    async def dead(self, after: str, limit: int) -> Sequence[DeadLetter]:
        """Return the letters of dead rows with ids above ``after``, in the order of their ids."""
        ...

    async def count_dead(self) -> Mapping[str, int]:
        """Return the number of open dead letters by platform."""
        ...

    async def dead_letter_undeliverable(self) -> int:
        """Decide pending, unleased rows of disabled or unknown platforms; return how many."""
        ...


class LetterQueue(Protocol):
    """The dead-letter queue at the broker."""

    async def publish(self, letter: DeadLetter) -> None:
        """Publish with confirm.

        Raises:
            BrokerUnreachable: not confirmed; it may have arrived all the same.
        """
        ...

    async def depth(self) -> int:
        """Return how many messages are ready."""
        ...

    async def purge(
        self, select_stale: Callable[[Sequence[LetterKey | None]], Awaitable[Collection[int]]]
    ) -> None:
        """Show every message to ``select_stale``, in batches; remove those whose index it returns.

        A message that is no letter of ours is shown as None. What stays keeps its order.
        """
        ...
