"""What the scheduler needs of the store: rows that are due, claimed under a lease."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from disconnect_fanout.domain.delivery import LeasedDelivery


@dataclass(frozen=True, slots=True)
class Claim:
    """One claimed delivery.

    Attributes:
        interrupted: an expired lease was found on it; the store has recorded that attempt as
            cut off.
    """

    delivery: LeasedDelivery
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Expedited:
    """What came of hastening.

    Attributes:
        count: rows that are due now.
        more_in_s: until the next one may be hastened; None if there is none that waits for that.
    """

    count: int
    more_in_s: float | None = None


class DueStore(Protocol):
    """Pending rows, by the database's clock."""

    async def due_platforms(self, platform_ids: Collection[str]) -> Collection[str]:
        """Return those of the platforms that have at least one row due now.

        What a claim has leased whose answer was lost is due again: nobody was given it to send.
        """
        ...

    async def claim(
        self,
        platform_id: str,
        *,
        limit: int,
        lease_s: float,
        holding: Collection[str],
        reclaim: bool,
    ) -> Sequence[Claim]:
        """Lease up to ``limit`` due rows of one platform, the longest due first.

        Args:
            platform_id: whose rows.
            limit: at most so many.
            lease_s: how long the lease holds.
            holding: ids that this worker has in hand; never claimed again, expired or not.
            reclaim: whether rows with an expired lease may be taken.

        Raises:
            StoreUnreachable: nothing is known to be claimed; what is, is given back later.
        """
        ...

    async def expedite(self, platform_id: str, limit: int) -> Expedited:
        """Make up to ``limit`` waiting rows due, those first whose turn is next.

        None before its Retry-After, nor before the slot that a replay gave it, nor one that was
        hastened in vain since its last turn.
        """
        ...
