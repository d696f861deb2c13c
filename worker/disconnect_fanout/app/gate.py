"""The gate before the queue: events are taken while there is somebody to tell and a database."""

import asyncio

from disconnect_fanout.flow.change import Barrier
from disconnect_fanout.flow.database_health import DatabaseHealth
from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.flow.recorder import Recorder

_LOOK_EVERY_S = 0.5


class Gate:
    """Opens when a platform is registered, no secret key lacks and the database takes a commit.

    A commit and not only a look: on a full disk the database still reads, and events taken then
    would go back to the broker again and again, until their delivery limit.
    """

    def __init__(self, directory: Directory, recorder: Recorder, health: DatabaseHealth) -> None:
        self._directory = directory
        self._health = health
        self._recorder = recorder

    async def open(self) -> None:
        """Return when there is a reason to consume."""
        while not await self._wanted():  # noqa: ASYNC110 - the answer is in the database
            await asyncio.sleep(_LOOK_EVERY_S)
        await self._recorder.record(Barrier())

    async def _wanted(self) -> bool:
        try:
            await self._directory.refresh()
        except StoreUnreachable:
            return False
        return bool(self._directory.platforms) and self._health.lacking_key is None
