"""RabbitMQ's management API: what no AMQP client can see, the bindings and the policies.

Only read, in bounded time and size; whatever it answers or does not answer is a value. The
credentials go to the place that was configured alone: no proxy, no redirect.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from disconnect_fanout.adapters.broker.management_place import Place
from disconnect_fanout.policy.broker_policy import BrokerPolicy

TIMEOUT_S = 2.0
_MOST_BYTES = 1024 * 1024
_NO_MANAGEMENT_USER = (401, 403)
_OK, _NOT_FOUND = 200, 404


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nothing could be learnt; says why, in words without credentials."""

    why: str


@dataclass(frozen=True, slots=True)
class Absent:
    """It answers that there is no such thing."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """How an exchange was declared."""

    kind: str
    durable: bool
    auto_delete: bool


Answer: TypeAlias = Any


class Management:
    """Asks the API of one broker about one vhost."""

    def __init__(self, place: Place, timeout_s: float = TIMEOUT_S) -> None:
        self.where = place.shown
        self._place = place
        self._timeout_s = timeout_s

    async def cluster(self) -> str | Unanswered:
        """Return the name of the cluster that answers."""
        match await self._get("cluster-name"):
            case {"name": str(name)}:
                return name
            case found:
                return _why(found)

    async def bindings(self, exchange: str, queue: str) -> frozenset[str] | Absent | Unanswered:
        """Return the routing keys with which a queue is bound to an exchange."""
        found = await self._get("bindings", self._place.vhost, "e", exchange, "q", queue)
        if isinstance(found, Absent):
            return found
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            return _why(found)
        return frozenset(str(one.get("routing_key")) for one in found)

    async def exchange(self, name: str) -> Exchange | Absent | Unanswered:
        """Return how an exchange was declared."""
        match await self._get("exchanges", self._place.vhost, name):
            case {"type": str(kind), "durable": bool(durable), "auto_delete": bool(auto_delete)}:
                return Exchange(kind, durable, auto_delete)
            case Absent() as absent:
                return absent
            case found:
                return _why(found)

    async def policies(self) -> list[BrokerPolicy] | Unanswered:
        """Return the vhost's policies, and those that its operators put above them."""
        policies: list[BrokerPolicy] = []
        for kind, path in (("policy", "policies"), ("operator policy", "operator-policies")):
            found = await self._get(path, self._place.vhost)
            if not isinstance(found, list):
                return _why(found)
            try:
                policies += [_policy(kind, one) for one in found]
            except (KeyError, TypeError, ValueError):
                return _why(None)
        return policies

    async def _get(self, *path: str) -> Answer | Absent | Unanswered:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ask("/".join(quote(one, safe="") for one in path))
        except TimeoutError:
            return Unanswered("it does not answer in time")
        except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError) as error:
            return Unanswered(f"it can't be asked ({type(error).__name__})")

    async def _ask(self, path: str) -> Answer | Absent | Unanswered:
        place = self._place
        tls = await asyncio.to_thread(place.tls)
        headers = {"Authorization": aiohttp.encode_basic_auth(place.user, place.password)}
        url = URL(f"{place.url}/api/{path}", encoded=True)
        async with (
            aiohttp.ClientSession(trust_env=False, headers=headers) as session,
            session.get(url, allow_redirects=False, ssl=tls) as answer,
        ):
            return _read(answer.status, await _body(answer))


async def _body(answer: aiohttp.ClientResponse) -> bytes | None:
    """Return it, or None if it is too long."""
    body = b""
    async for part in answer.content.iter_chunked(64 * 1024):
        body += part
        if len(body) > _MOST_BYTES:
            return None
    return body


def _read(status: int, body: bytes | None) -> Answer | Absent | Unanswered:
    if status in _NO_MANAGEMENT_USER:
        return Unanswered(f"it refuses the user ({status}), who needs the tag management")
    if body is None:
        return Unanswered("its answer is too long")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if status == _NOT_FOUND and isinstance(found, dict) and found.get("reason") == "Not Found":
        return Absent()
    if status != _OK:
        return Unanswered(f"it answers {status}")
    return found


def _policy(kind: str, one: Mapping[str, Any]) -> BrokerPolicy:
    return BrokerPolicy(
        name=str(one["name"]),
        kind=kind,
        pattern=str(one["pattern"]),
        apply_to=str(one["apply-to"]),
        priority=int(one["priority"]),
        definition={str(key): value for key, value in one["definition"].items()},
    )


def _why(found: object) -> Unanswered:
    return found if isinstance(found, Unanswered) else Unanswered("its answer makes no sense")
