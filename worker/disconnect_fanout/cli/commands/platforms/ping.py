"""``fanout platforms test``: one signed ``fanout.ping``, through the sender that workers use."""

import os
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import typer

from disconnect_fanout import __version__
from disconnect_fanout.adapters.crypto.vault import Unsealable
from disconnect_fanout.adapters.http.sender import AiohttpSender
from disconnect_fanout.adapters.store.platforms.source import SqlPlatformSource
from disconnect_fanout.adapters.store.seals.unreadable_row import UnreadableRow
from disconnect_fanout.app.proxy import proxy_warning
from disconnect_fanout.cli.arguments.platform_options import IdArgument
from disconnect_fanout.cli.exit_code import ExitCode
from disconnect_fanout.cli.runtime.session import Session, execute, opened
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_one
from disconnect_fanout.domain.not_found import NotFound
from disconnect_fanout.domain.outcome import Answer, Exchange, Failure, Result, Unable
from disconnect_fanout.domain.platform import Platform
from disconnect_fanout.flow.outage import OutOfMeans
from disconnect_fanout.flow.webhook import WebhookRequest
from disconnect_fanout.policy.classify import result_of
from disconnect_fanout.policy.signature import signature_headers


@dataclass(frozen=True, slots=True)
class Ping:
    """What came of it."""

    platform_id: str
    result: Result
    status: int | None
    duration_ms: int
    answer: str


def ping(platform_id: IdArgument, output: OutputOption = Output.TABLE) -> None:
    r"""Post a signed fanout.ping to a platform and show its answer. Nothing is recorded.

    \b
    Example:
      fanout platforms test plat_luma
    """
    answer = execute(_ping(platform_id))
    show_one(answer, output)
    if answer.result is not Result.DELIVERED:
        if (warning := proxy_warning(os.environ)) is not None:
            say(f"fanout: warning: {warning}")
        raise typer.Exit(ExitCode.SOME_FAILED)


async def _ping(platform_id: str) -> Ping:
    async with opened() as session:
        platform = await _platform(session, platform_id)
        sender = AiohttpSender(f"disconnect-fanout/{__version__}", session.settings.allow_networks)
        began = time.monotonic()
        try:
            exchange = await sender.send(_request(platform, datetime.now(UTC)))
        finally:
            await sender.close()
    if isinstance(exchange, Unable):
        raise OutOfMeans(f"no request could be made: {exchange.shortage.words}")
    return _told(platform_id, exchange, round((time.monotonic() - began) * 1000))


async def _platform(session: Session, platform_id: str) -> Platform:
    source = SqlPlatformSource(session.database, session.vault, session.settings.timeout)
    for platform in await source.platforms():
        if platform.id == platform_id:
            if platform.flaw is not None:
                raise UnreadableRow(f"platform {platform_id}: {platform.flaw}")
            if not platform.keys:
                raise Unsealable("FANOUT_SECRET_KEY does not open this platform's secret")
            return platform
    raise NotFound("platform", platform_id)


def _request(platform: Platform, now: datetime) -> WebhookRequest:
    name = f"wh_ping_{uuid.uuid4().hex}"
    body = orjson.dumps(
        {
            "id": name,
            "event_type": "fanout.ping",
            "timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "platform_id": platform.id,
            "api_version": "v1",
            "data": {},
        }
    )
    headers = signature_headers(platform.scheme, platform.keys, name, int(now.timestamp()), body)
    headers |= {"content-type": "application/json", "fanout-attempt": "1"}
    return WebhookRequest(
        platform.id, platform.url, headers, body, platform.timeout_s, platform.authority, fresh=True
    )


def _told(platform_id: str, exchange: Exchange, duration_ms: int) -> Ping:
    result = result_of(exchange)
    match exchange:
        case Answer(status=status):
            return Ping(platform_id, result, status, duration_ms, exchange.words)
        case Failure(detail=detail):
            return Ping(platform_id, result, None, duration_ms, detail)
