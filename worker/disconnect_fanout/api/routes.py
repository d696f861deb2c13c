"""The API's routes: two operations, health, and the document that describes them.

Paths are taken apart here, raw: a router would decode them before it is known whether they are well
encoded, and an address may hold anything.
"""

import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from disconnect_events.openapi import document
from disconnect_fanout.api.answer import json_answer
from disconnect_fanout.api.delete_calendar import DeleteCalendar
from disconnect_fanout.api.disconnect_calendar import DisconnectCalendar

_V1 = re.compile(r"/v1/calendars/([^/?#]+)")
_V2 = re.compile(r"/v2/calendars/([^/?#]+)/disconnect")


class Routes:
    """Finds the operation that a request asks for.

    Args:
        problem: tells what is wrong with the database; None if nothing is.
        duties: tells which of the process has failed.
        changed: called after each request that may have changed something.
    """

    def __init__(
        self,
        *,
        delete: DeleteCalendar,
        disconnect: DisconnectCalendar,
        problem: Callable[[], Awaitable[str | None]],
        duties: Callable[[], list[str]],
        changed: Callable[[], None],
    ) -> None:
        self._delete = delete
        self._disconnect = disconnect
        self._problem = problem
        self._duties = duties
        self._changed = changed

    async def dispatch(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        path = request.raw_path.partition("?")[0]
        if (v1 := _V1.fullmatch(path)) is not None:
            if request.method != "DELETE":
                return _wrong_method("DELETE")
            return await self._promised(self._delete.handle(request, v1[1]))
        if (v2 := _V2.fullmatch(path)) is not None:
            if request.method != "POST":
                return _wrong_method("POST")
            return await self._promised(self._disconnect.handle(request, v2[1]))
        return await self._about_us(request.method, path)

    async def _promised(self, answer: Awaitable[web.Response]) -> web.Response:
        response = await answer
        if response.status == 200:  # noqa: PLR2004 - the one status that promises something
            self._changed()
        return response

    async def _about_us(self, method: str, path: str) -> web.Response:
        if path not in {"/livez", "/readyz", "/openapi.json"}:
            return json_answer(404, {"error": "Not found"})
        if method not in {"GET", "HEAD"}:
            return _wrong_method("GET, HEAD")
        match path:
            case "/livez":
                return json_answer(200, {"status": "alive"})
            case "/openapi.json":
                return json_answer(200, document())
            case _:
                problem = await self._problem()
                problems = [*([] if problem is None else [problem]), *self._duties()]
                ready = not problems
                state = {"status": "ready" if ready else "not ready", "problems": problems}
                return json_answer(200 if ready else 503, state)


def _wrong_method(allowed: str) -> web.Response:
    return json_answer(405, {"error": "Method not allowed"}, {"allow": allowed})
