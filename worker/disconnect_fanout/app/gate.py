"""The gate before the queue: events are taken while there is somebody to tell and a database."""

import asyncio

from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.flow.outage import StoreUnreachable

_LOOK_EVERY_S = 0.5


class Gate:
    """Opens when a platform is registered and the database answers."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def open(self) -> None:
        """Return when there is a reason to consume."""
        while not await self._somebody_to_tell():  # noqa: ASYNC110 - the answer is in the database
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _somebody_to_tell(self) -> bool:
        try:
            await self._directory.refresh()
        except StoreUnreachable:
            return False
        return bool(self._directory.platforms)
