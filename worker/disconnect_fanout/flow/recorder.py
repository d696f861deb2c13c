"""The group commit: outcomes of many deliveries share one transaction that reaches the disk."""

import asyncio
from collections.abc import Collection, Sequence
from enum import Enum, auto
from typing import Protocol

from disconnect_fanout.flow.batcher import Batcher
from disconnect_fanout.policy.change import Change

LARGEST_COMMIT = 500
"""Rows in one transaction at most: SQLite has one writer, and commands want their turn."""


class Recorded(Enum):
    """What a change has come to, on disk."""

    APPLIED = auto()
    FENCED = auto()
    """Not this change, but what somebody else has made of the delivery, stands."""


class Ledger(Protocol):
    """Where changes become durable."""

    async def commit(self, changes: Sequence[Change]) -> Collection[Change]:
        """Write all changes in one transaction and return once it is on disk.

        Survives an outage of the database by waiting: it returns when the commit is done.
        Writing the same change twice is harmless; a copy may be counted once more.

        Returns:
            Those that were fenced out. None that an earlier try has applied, whose answer was lost.
        """
        ...


class Recorder:
    """Takes changes one by one and commits them together."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._batcher: Batcher[Change, Recorded] = Batcher(self._commit, LARGEST_COMMIT)

    def record(self, change: Change) -> asyncio.Future[Recorded]:
        """Return a future that is done when the change, and all before it, are on disk."""
        return self._batcher.submit(change)

    async def drain(self) -> None:
        """Wait until everything recorded so far is on disk."""
        await self._batcher.drain()

    @property
    def unrecorded(self) -> list[Change]:
        """What is not on disk yet."""
        return self._batcher.unanswered

    async def _commit(self, changes: Sequence[Change]) -> Sequence[Recorded]:
        fenced = await self._ledger.commit(changes)
        if not fenced:
            return [Recorded.APPLIED] * len(changes)
        return [Recorded.FENCED if one in fenced else Recorded.APPLIED for one in changes]
