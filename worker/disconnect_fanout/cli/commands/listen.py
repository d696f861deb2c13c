"""``fanout listen``: a sample receiver that verifies what it receives."""

import asyncio
import re
import signal
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer
from aiohttp import web

from disconnect_fanout.adapters.http.bounded_server import STANDARD, BoundedServer
from disconnect_fanout.adapters.http.listening import AddressTaken
from disconnect_fanout.adapters.http.listening import listen as listen_on
from disconnect_fanout.cli.arguments.secret_file import read_secret
from disconnect_fanout.cli.runtime.session import execute
from disconnect_fanout.cli.screen.output import Output, OutputOption, say, show_one, show_text
from disconnect_fanout.cli.usage_error import UsageError
from disconnect_fanout.demo.webhook_verifier import WebhookVerifier

_MOST_CONNECTIONS = 256
_SCRIPT = re.compile(r"[2-5]\d\d(,[2-5]\d\d)*")


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook as it was received.

    Attributes:
        verified: None without a secret to verify with.
        problem: why it must not be believed.
        answered: the status that was sent back.
        event: the body; None if it is no JSON object.
    """

    at: datetime
    webhook_id: str | None
    attempt: str | None
    replay: bool
    verified: bool | None
    problem: str | None
    answered: int
    event: dict[str, object] | None = field(repr=False)


@dataclass(slots=True)
class _Script:
    """The statuses to answer with, in turn; the last one repeats."""

    statuses: list[int]

    def next(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


def parse_script(text: str) -> _Script:
    """Return the answers of ``500,500,200``."""
    if not _SCRIPT.fullmatch(text):
        raise typer.BadParameter(f"{text!r}: expected statuses from 200 to 599: 500,500,200")
    return _Script([int(one) for one in text.split(",")])


def listen(
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")],
    host: Annotated[str, typer.Option("--host", help="An address of this machine.")] = "127.0.0.1",
    secret: Annotated[
        str | None,
        typer.Option("--secret", help="whsec_…, whpk_… or a cal secret; for tests only, ps shows."),
    ] = None,
    secret_file: Annotated[
        str | None, typer.Option("--secret-file", metavar="FILE|-", help="Read the secret there.")
    ] = None,
    status: Annotated[
        _Script | None,
        typer.Option("--status", parser=parse_script, metavar="S,S,…", help="The last repeats."),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    r"""Receive webhooks on this machine, verify them, print one line for each.

    What does not verify is answered with 401. With -o json, too, it is one object a line.

    \b
    Example:
      fanout listen --port 9001 --secret-file luma.secret --status 500,500,200
    """
    given = read_secret(secret_file) if secret_file is not None else secret
    try:
        verifier = None if given is None else WebhookVerifier(given)
    except ValueError as error:
        raise UsageError(str(error)) from None
    execute(_listen(host, port, _Receiver(verifier, status or _Script([200]), output)))


@dataclass(frozen=True, slots=True)
class _Receiver:
    verifier: WebhookVerifier | None
    script: _Script
    output: Output

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Verify, print, answer."""
        if request.method != "POST":
            return web.Response(status=405, headers={"allow": "POST"})
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            return web.Response(status=error.status)
        webhook = self._received(request, body)
        if self.output is Output.TABLE:
            show_text(_line(webhook))
        else:
            show_one(webhook, Output.JSONL)
        return web.Response(status=webhook.answered)

    def _received(self, request: web.BaseRequest, body: bytes) -> Webhook:
        verified, problem = None, None
        if self.verifier is not None:
            problem = self.verifier.problem(request.headers, body, time.time())
            verified = problem is None
        return Webhook(
            at=datetime.now(UTC),
            webhook_id=request.headers.get("webhook-id"),
            attempt=request.headers.get("fanout-attempt"),
            replay=request.headers.get("fanout-replay") == "true",
            verified=verified,
            problem=problem,
            answered=401 if problem else self.script.next(),
            event=_event(body),
        )


def _event(body: bytes) -> dict[str, object] | None:
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None


def _line(webhook: Webhook) -> str:
    """One line; it names no user."""
    verdict = {None: "not checked", True: "verified", False: f"NOT VERIFIED: {webhook.problem}"}
    parts = [
        webhook.at.strftime("%H:%M:%S"),
        str(webhook.answered),
        webhook.webhook_id or "no webhook-id",
        f"attempt {webhook.attempt or '?'}{' (replay)' if webhook.replay else ''}",
        str((webhook.event or {}).get("event_type", "no JSON object")),
        verdict[webhook.verified],
    ]
    line = "  ".join(parts)
    return "".join(char if char.isprintable() else "?" for char in line)


async def _listen(host: str, port: int, receiver: _Receiver) -> None:
    server = BoundedServer(receiver.handle, most=_MOST_CONNECTIONS, limits=STANDARD)
    runner = web.ServerRunner(server)
    ended = _termination()  # before anybody can know that we are here
    try:
        try:
            bound = await listen_on(runner, host, port, "--host and --port")
        except AddressTaken as error:
            raise UsageError(str(error)) from None
        say(f"listening on http://{host}:{bound}")
        await ended.wait()
    finally:
        await runner.cleanup()


def _termination() -> asyncio.Event:
    """Return what SIGTERM sets; Ctrl-C ends every command."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    return ended
