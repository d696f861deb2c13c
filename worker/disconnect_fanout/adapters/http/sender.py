"""Sends webhooks: one POST, one time-out over the whole exchange, no redirects, a capped answer."""

import asyncio
import os
import ssl
from collections.abc import Sequence

import aiohttp
from aiohttp.connector import Connection
from yarl import URL

from disconnect_fanout.adapters.http.guard import AddressGuard, Sightings, sightings
from disconnect_fanout.adapters.http.own_fault import own_fault
from disconnect_fanout.adapters.http.trust import BadAuthority, Trust
from disconnect_fanout.domain.outcome import Answer, Exchange, Failure, FailureKind, Unable
from disconnect_fanout.flow.webhook import WebhookRequest
from disconnect_fanout.policy.address import Network

MOST_OF_AN_ANSWER = 64 * 1024
EXCERPT = 1024
_KEEP_ALIVE_S = 30.0
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=None)  # ours covers everything


class AiohttpSender:
    """The flow's ``Sender``. Two pools: one keeps connections alive, one never does.

    Args:
        user_agent: ``disconnect-fanout/<version>``.
        allowed: networks permitted beside the public ones.
    """

    def __init__(self, user_agent: str, allowed: Sequence[Network]) -> None:
        guard = AddressGuard(allowed)
        self._trust = Trust()
        headers = {"user-agent": user_agent, "accept-encoding": "identity"}
        self._kept = _session(
            aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S, socket_factory=guard),
            headers,
        )
        self._fresh = _session(
            aiohttp.TCPConnector(limit=0, force_close=True, socket_factory=guard),
            headers,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._kept.close()
        await self._fresh.close()

    async def send(self, request: WebhookRequest) -> Exchange | Unable:
        """Return what came of the request; nothing that a platform can do raises."""
        session = self._fresh if request.fresh else self._kept
        seen = Sightings()
        token = sightings.set(seen)
        try:
            async with asyncio.timeout(request.timeout_s):
                return await self._exchange(session, request, seen)
        except TimeoutError:
            words = f"no complete answer within {request.timeout_s:g} s"
            return Failure(FailureKind.TIMED_OUT, words)
        except BadAuthority:  # written past the command, which checks it
            return Failure(FailureKind.TLS_FAILED, "TLS: the platform's authority can't be read")
        except (aiohttp.ClientError, OSError, ValueError, MemoryError) as error:
            return _failure(error, seen)
        except RuntimeError as error:  # uvloop says so of a transport that has just ended
            if session.closed:
                raise
            return _failure(error, seen)
        finally:
            sightings.reset(token)

    async def _exchange(
        self, session: aiohttp.ClientSession, request: WebhookRequest, seen: Sightings
    ) -> Answer:
        async with session.post(
            _url(request),
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            ssl=self._trust.context(request.authority),
        ) as response:
            seen.answered = True
            excerpt = await _read(response)
            return Answer(response.status, response.headers.get("retry-after"), excerpt)


class _MarkedRequest(aiohttp.ClientRequest):
    """Notes the moment from which on a platform may know."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        if (seen := sightings.get()) is not None:
            seen.written = True
        return await super().send(conn)


def _url(request: WebhookRequest) -> URL:
    try:
        return URL(request.url, encoded=True)
    except ValueError:
        raise aiohttp.InvalidURL("") from None


async def _read(response: aiohttp.ClientResponse) -> str:
    """Read the answer up to the cap; an answer that goes on is cut off with its connection."""
    kept = bytearray()
    seen = 0
    async for chunk in response.content.iter_any():
        kept += chunk[: EXCERPT - len(kept)]
        seen += len(chunk)
        if seen > MOST_OF_AN_ANSWER:
            response.close()
            break
    return kept.decode(errors="replace").replace("\x00", "\ufffd")


def _failure(error: Exception, seen: Sightings) -> Failure | Unable:  # noqa: PLR0911 - a table
    """Name the failure. The words hold no URL: a path or query may be a secret."""
    if (shortage := own_fault(error, seen)) is not None:
        return Unable(shortage)
    if seen.only_blocked:
        return Failure(FailureKind.BLOCKED, "the host's address is not a public one")
    match error:
        case aiohttp.InvalidURL():
            return Failure(FailureKind.BLOCKED, "the host is no valid host name")
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return Failure(FailureKind.TLS_FAILED, _tls_words(error))
        case aiohttp.ClientConnectorDNSError():
            return Failure(FailureKind.UNREACHABLE, "the host name does not resolve")
        case aiohttp.ClientConnectorError(os_error=cause):
            words = os.strerror(cause.errno) if cause.errno else type(cause).__name__
            return Failure(FailureKind.UNREACHABLE, words)
        case _:
            words = f"the connection ended without a complete answer ({type(error).__name__})"
            return Failure(FailureKind.DISCONNECTED, words, reused=seen.stale)


def _tls_words(error: Exception) -> str:
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    reason = getattr(cause, "verify_message", None) or getattr(cause, "reason", None)
    return f"TLS: {reason or type(cause).__name__}"[:200]


def _session(connector: aiohttp.TCPConnector, headers: dict[str, str]) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        request_class=_MarkedRequest,
        timeout=_NO_TIMEOUT,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=headers,
        auto_decompress=False,  # a bomb is not unpacked
    )
