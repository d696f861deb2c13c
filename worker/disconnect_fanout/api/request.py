"""What the operations read from a request: a bounded JSON object, and what makes it known again."""

import hashlib
import json
from typing import Any

from aiohttp import web

from disconnect_events.json_text import NotJson, doubled_keys, read_json
from disconnect_fanout.domain.api_key import ApiKey
from disconnect_fanout.flow.disconnection import Memo

LARGEST_BODY = 64 * 1024
_LONGEST_TOKEN = 255
IDEMPOTENCY_KEY = "Idempotency-Key"


class BadRequest(Exception):
    """The request can't be read; says what is wrong, and repeats nothing of it."""


async def read_body(request: web.BaseRequest) -> bytes:
    """Return the body.

    Raises:
        BadRequest: it is too long, or not encoded as its headers say.
    """
    found = bytearray()
    try:
        async for chunk in request.content.iter_any():
            found += chunk
            if len(found) > LARGEST_BODY:
                raise BadRequest(f"the body is longer than {LARGEST_BODY} bytes")
    except web.RequestPayloadError:
        raise BadRequest("the body is not encoded as its headers say") from None
    return bytes(found)


def parse_object(body: bytes) -> dict[str, Any]:
    """Return a JSON object; what is inside fields that nobody reads is not looked at.

    Raises:
        BadRequest: it is none, or a key stands in it twice.
    """
    try:
        found = read_json(body.decode(json.detect_encoding(body)))
    except (NotJson, UnicodeDecodeError):
        raise BadRequest("the body is no JSON object with each key once") from None
    if not isinstance(found, dict) or doubled_keys(found):
        raise BadRequest("the body is no JSON object with each key once")
    return found


def memo_of(request: web.BaseRequest, caller: ApiKey, body: bytes) -> Memo | None:
    """Return what makes the request known when it comes again, if its sender wants that.

    Raises:
        BadRequest: the header is empty, too long or there twice.
    """
    tokens = request.headers.getall(IDEMPOTENCY_KEY, [])
    if not tokens:
        return None
    if len(tokens) > 1 or not 0 < len(tokens[0]) <= _LONGEST_TOKEN:
        raise BadRequest(f"{IDEMPOTENCY_KEY} has 1 to {_LONGEST_TOKEN} characters, once")
    asked = b"\0".join((request.method.encode(), request.raw_path.encode(), body))
    return Memo(caller.id, tokens[0], hashlib.sha256(asked).hexdigest())
