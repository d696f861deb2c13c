"""Answers of the API: JSON, in the key order that is documented."""

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web


def json_answer(
    status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return an answer."""
    return web.Response(
        status=status,
        body=orjson.dumps(body),
        headers={
            "content-type": "application/json",
            "cache-control": "no-store",
            **(headers or {}),
        },
    )
