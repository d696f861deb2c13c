"""What the scheduler sleeps on, known to everybody who makes room or work for it."""

import asyncio


class Wakeups:
    """Remembers which platforms have rows waiting for a slot, and wakes the scheduler for those."""

    def __init__(self) -> None:
        self._wake = asyncio.Event()
        self.waiting: set[str] = set()
        """Platforms of which deliveries wait as rows until a slot comes free."""

    def refused(self, platform_id: str) -> None:
        """A delivery has to wait as a row until a slot comes free."""
        self.waiting.add(platform_id)

    def slot_freed(self, platform_id: str) -> None:
        """A request ended; look again if rows of that platform are known to wait."""
        if platform_id in self.waiting:
            self._wake.set()

    def wake(self) -> None:
        """Look now: a platform that was down answers again, or it is time to leave."""
        self._wake.set()

    def attend(self) -> None:
        """Begin a turn: what has happened so far will be seen in it."""
        self._wake.clear()

    async def sleep(self, seconds: float) -> None:
        """Return when woken, or when the time is over."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
