"""The group commit: outcomes of many deliveries share one transaction that reaches the disk."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from disconnect_fanout.flow.batcher import Batcher
from disconnect_fanout.policy.change import Change

LARGEST_COMMIT = 500
"""Rows in one transaction at most: SQLite has one writer, and commands want their turn."""


class Ledger(Protocol):
    """Where changes become durable."""

    async def commit(self, changes: Sequence[Change]) -> None:
        """Write all changes in one transaction and return once it is on disk.

        Survives an outage of the database by waiting: it returns when the commit is done.
        Writing the same change twice is harmless; a copy may be counted once more.
        """
        ...


class Recorder:
    """Takes changes one by one and commits them together."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._batcher: Batcher[Change, None] = Batcher(self._commit, LARGEST_COMMIT)

    def record(self, change: Change) -> asyncio.Future[None]:
        """Return a future that is done when the change, and all before it, are on disk."""
        return self._batcher.submit(change)

    async def drain(self) -> None:
        """Wait until everything recorded so far is on disk."""
        await self._batcher.drain()

    @property
    def unrecorded(self) -> list[Change]:
        """What is not on disk yet."""
        return self._batcher.unanswered

    async def _commit(self, changes: Sequence[Change]) -> Sequence[None]:
        await self._ledger.commit(changes)
        return [None] * len(changes)
