"""``DELETE /v1/calendars/{email}``: a platform disconnects a user's calendar."""

from typing import assert_never

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from disconnect_events.identifier import Email
from disconnect_fanout.api.answer import json_answer
from disconnect_fanout.api.outage import RETRY_AFTER, tried_again
from disconnect_fanout.api.rate_limit import RateLimit
from disconnect_fanout.api.request import BadRequest, memo_of, read_body
from disconnect_fanout.domain.api_key import ApiKey
from disconnect_fanout.flow.disconnection import (
    ApiKeys,
    Connections,
    Ended,
    Memo,
    NotConnected,
    Reused,
    Unpublishable,
)
from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.policy.http_api.caller import shown_to_v1
from disconnect_fanout.policy.http_api.path_segment import decoded

_EMAIL: TypeAdapter[str] = TypeAdapter(Email)


class DeleteCalendar:
    """Answers as documented; whatever is no address is nobody's."""

    def __init__(self, keys: ApiKeys, connections: Connections, limit: RateLimit) -> None:
        self._keys = keys
        self._connections = connections
        self._limit = limit

    async def handle(self, request: web.BaseRequest, segment: str) -> web.Response:
        """Answer one request.

        Args:
            request: of any caller.
            segment: the raw last segment of its path.
        """
        try:
            return await self._handle(request, segment)
        except BadRequest as problem:
            return _error(400, str(problem))
        except Unpublishable:
            return _error(400, "This address can't be told to any platform; nothing was changed")
        except StoreUnreachable:
            return _error(503, "The database does not answer; try again", RETRY_AFTER)

    async def _handle(self, request: web.BaseRequest, segment: str) -> web.Response:
        caller = await self._caller(request)
        if caller is None or caller.platform_id is None:
            return _error(401, "Invalid or missing API key")
        if wait_s := self._limit.wait_s(caller.id):
            return _error(429, "Too many requests", {"retry-after": str(wait_s)})
        email = _address(segment)
        if email is None:
            return _not_connected()
        memo = memo_of(request, caller, await read_body(request))
        match await self._end(email, caller.platform_id, memo):
            case Ended():
                return json_answer(200, _done(email, caller.platform_id))
            case NotConnected():
                return _not_connected()
            case Reused():
                return _error(422, "Idempotency-Key was used for another request")
            case _ as unreachable:
                assert_never(unreachable)

    async def _end(
        self, email: str, platform_id: str, memo: Memo | None
    ) -> Ended | NotConnected | Reused:
        return await tried_again(
            lambda: self._connections.end_user(email, platform_id, memo), known=memo is not None
        )

    async def _caller(self, request: web.BaseRequest) -> ApiKey | None:
        headers = request.headers
        key = shown_to_v1(headers.getall("Authorization", []), headers.getall("X-API-Key", []))
        if key is None:
            return None
        return await tried_again(lambda: self._keys.find(key), known=True)


def _address(segment: str) -> str | None:
    try:
        return _EMAIL.validate_python(decoded(segment))
    except ValidationError:
        return None


def _done(email: str, platform_id: str) -> dict[str, object]:
    return {
        "success": True,
        "message": "Calendar disconnected successfully",
        "email": email,
        "platform_id": platform_id,
    }


def _not_connected() -> web.Response:
    return _error(404, "No calendar connection found for this user and platform")


def _error(status: int, words: str, headers: dict[str, str] | None = None) -> web.Response:
    return json_answer(status, {"error": words}, headers)
