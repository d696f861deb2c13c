"""The gate before the queue: events are taken while there is somebody to tell and a database."""

import asyncio
from collections.abc import Awaitable, Callable

from disconnect_fanout.flow.directory import Directory
from disconnect_fanout.flow.fact import EventsHeld, Observe
from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.flow.recorder import Recorder
from disconnect_fanout.policy.change import Barrier

_LOOK_EVERY_S = 0.5


class Gate:
    """Opens when a platform is registered, no key lacks, and the database takes what events need.

    A try and not only a look: a database may read, and commit to other tables, while it takes no
    event; whoever consumed then would give all back to the broker again and again, until their
    delivery limit. And a commit beside the try: a full disk refuses nothing before.

    Args:
        probe: tries everything that an event needs and takes it back.
        observe: called once when the gate is kept shut by the database, and once when it opens.
        lacking_key: says which secret key is not here; None if all are.
    """

    def __init__(
        self,
        directory: Directory,
        recorder: Recorder,
        probe: Callable[[], Awaitable[None]],
        observe: Observe,
        lacking_key: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._directory = directory
        self._recorder = recorder
        self._probe = probe
        self._observe = observe
        self._lacking_key = lacking_key
        self._held = False

    async def open(self) -> None:
        """Return when there is a reason to consume."""
        while not await self._may_open():  # noqa: ASYNC110 - the answer is in the database
            await asyncio.sleep(_LOOK_EVERY_S)
        await self._recorder.record(Barrier())

    async def _may_open(self) -> bool:
        try:
            await self._directory.refresh()
            if not self._directory.platforms:
                return False
            await self._probe()
        except StoreUnreachable as error:
            self._tell(str(error))
            return False
        self._tell(lacking := self._lacking_key())
        return lacking is None

    def _tell(self, problem: str | None) -> None:
        if self._held != (problem is not None):
            self._held = problem is not None
            self._observe(EventsHeld(problem))
