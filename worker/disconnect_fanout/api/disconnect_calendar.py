"""``POST /v2/calendars/{calendar}/disconnect``: a user disconnects one of their calendars."""

from dataclasses import dataclass
from typing import assert_never

from aiohttp import web

from disconnect_fanout.api.answer import json_answer
from disconnect_fanout.api.outage import RETRY_AFTER, tried_again
from disconnect_fanout.api.rate_limit import RateLimit
from disconnect_fanout.api.request import BadRequest, memo_of, parse_object, read_body
from disconnect_fanout.domain.api_key import APPS_WRITE, ApiKey, KeyKind
from disconnect_fanout.domain.credential import Calendar, Credential
from disconnect_fanout.flow.disconnection import (
    ApiKeys,
    Connections,
    Memo,
    NotConnected,
    Reused,
    Unpublishable,
)
from disconnect_fanout.flow.outage import StoreUnreachable
from disconnect_fanout.policy.http_api.caller import shown_to_v2
from disconnect_fanout.policy.http_api.path_segment import decoded

_LARGEST_ID = 2**63 - 1


class DisconnectCalendar:
    """Answers as documented: who is asking first, then what is asked, then whether there is one."""

    def __init__(self, keys: ApiKeys, connections: Connections, limit: RateLimit) -> None:
        self._keys = keys
        self._connections = connections
        self._limit = limit

    async def handle(self, request: web.BaseRequest, segment: str) -> web.Response:
        """Answer one request.

        Args:
            request: of any caller.
            segment: the raw segment of its path that names the calendar.
        """
        try:
            return await self._handle(request, segment)
        except BadRequest as problem:
            return _error(400, "BadRequestException", str(problem))
        except Unpublishable:
            words = "the credential's e-mail address is none, so nobody could be notified"
            return _error(400, "BadRequestException", words)
        except StoreUnreachable:
            words = "The database does not answer; try again"
            return _error(503, "ServiceUnavailableException", words, RETRY_AFTER)

    async def _handle(self, request: web.BaseRequest, segment: str) -> web.Response:
        caller = await self._admitted(request)
        if isinstance(caller, web.Response):
            return caller
        calendar, body = _calendar(segment), await read_body(request)
        number = _credential_id(body)
        if not 0 <= number <= _LARGEST_ID:
            return _not_found()
        memo = memo_of(request, caller.key, body)
        match await self._end(number, calendar, caller.user_id, memo):
            case Credential() as credential:
                return json_answer(200, {"status": "success", "data": _data(credential)})
            case NotConnected():
                return _not_found()
            case Reused():
                words = "Idempotency-Key was used for another request"
                return _error(422, "UnprocessableEntityException", words)
            case _ as unreachable:
                assert_never(unreachable)

    async def _end(
        self, number: int, calendar: Calendar, user_id: int, memo: Memo | None
    ) -> Credential | NotConnected | Reused:
        return await tried_again(
            lambda: self._connections.end_credential(number, calendar, user_id, memo),
            known=memo is not None,
        )

    async def _find(self, token: str) -> ApiKey | None:
        return await tried_again(lambda: self._keys.find(token), known=True)

    async def _admitted(self, request: web.BaseRequest) -> "_Caller | web.Response":
        """Return who asks, or the answer to whom we do not listen."""
        token = shown_to_v2(request.headers.getall("Authorization", []))
        key = None if token is None else await self._find(token)
        if key is None or key.user_id is None:
            return _error(401, "UnauthorizedException", "Invalid or missing access token")
        if wait_s := self._limit.wait_s(key.id):
            retry = {"retry-after": str(wait_s)}
            return _error(429, "TooManyRequestsException", "Too many requests", retry)
        if key.kind is KeyKind.OAUTH and APPS_WRITE not in key.scopes:
            return _error(403, "ForbiddenException", f"the scope {APPS_WRITE} is required")
        return _Caller(key, key.user_id)


@dataclass(frozen=True, slots=True)
class _Caller:
    key: ApiKey
    user_id: int


def _calendar(segment: str) -> Calendar:
    try:
        return Calendar(decoded(segment) or "")
    except ValueError:
        raise BadRequest("calendar must be one of: apple, google, office365") from None


def _credential_id(body: bytes) -> int:
    number = parse_object(body).get("id")
    if type(number) is not int:  # a boolean is an int to Python, and to nobody else
        raise BadRequest("id must be an integer")
    return number


def _data(credential: Credential) -> dict[str, object]:
    return {
        "id": credential.id,
        "type": credential.type,
        "userId": credential.user_id,
        "teamId": credential.team_id,
        "appId": credential.app_id,
        "invalid": credential.invalid,
    }


def _not_found() -> web.Response:
    return _error(404, "NotFoundException", "No such credential of this user for this calendar")


def _error(
    status: int, code: str, words: str, headers: dict[str, str] | None = None
) -> web.Response:
    body = {"status": "error", "error": {"code": code, "message": words}}
    return json_answer(status, body, headers)
