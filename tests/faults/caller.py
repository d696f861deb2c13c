"""A caller of the API who asks all the time, and what it was answered."""

import asyncio
import contextlib
import time
from collections import Counter
from typing import Self

from tests.faults.scene import Scene
from tests.harness.worker.api_process import ApiProcess, Told

_EVERY_S = 0.1
_LONGEST_S = 9.0
_NOBODY = "/v1/calendars/nobody@example.com"


class Caller:
    """Starts an API at the scene, whose database lies behind the same wire as the workers'.

    It asks about somebody who has no connection, so that nobody else is told anything.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.answers: Counter[int] = Counter()
        self.slowest_s = 0.0
        self._last: Told | None = None

    async def __aenter__(self) -> Self:
        installation = self._scene.installation
        key = await installation.ask("keys", "create", "--platform", self._scene.platforms[0].name)
        self._key = ("X-API-Key", key["key"])
        url = self._scene.wires["database"].through(installation.settings["FANOUT_DATABASE_URL"])
        settings = {**installation.settings, "FANOUT_DATABASE_URL": url}
        self._api = await ApiProcess(settings, self._scene.folder).__aenter__()
        self._asking = asyncio.create_task(self._ask_on())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._asking
        await self._api.close()

    async def found_it_bearable(self) -> str:
        """Return what it was answered: the truth, or 503 and when to ask again, and soon.

        Raises:
            AssertionError: it was not.
        """
        await self._scene.becomes(self._answered, "the API answers 404 again", within=10)
        if self._asking.done():
            self._asking.result()
        assert set(self.answers) <= {404, 503}, self.answers
        assert self.slowest_s < _LONGEST_S, f"an answer took {self.slowest_s:.1f} s"
        return f"API {dict(self.answers)}, the slowest {self.slowest_s:.1f} s"

    def _answered(self) -> bool:
        return self._asking.done() or (self._last is not None and self._last.status == 404)

    async def _ask_on(self) -> None:
        while True:
            began = time.monotonic()
            self._last = told = await self._api.ask("DELETE", _NOBODY, self._key)
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            self.answers[told.status] += 1
            assert told.status != 503 or int(told.headers["Retry-After"]) > 0
            await asyncio.sleep(_EVERY_S)
