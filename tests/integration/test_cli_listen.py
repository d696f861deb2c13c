"""``fanout listen``: the sample receiver verifies what real senders sign."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from tests.harness.servers.slow_clients import HALF_A_BODY, SlowClients
from tests.harness.worker.command import FANOUT, environment
from yarl import URL

from disconnect_fanout.adapters.crypto.webhook_secret import new_secret, public_key, signing_key
from disconnect_fanout.domain.platform import Scheme
from disconnect_fanout.policy.signature import signature_headers

BODY = b'{"event_type":"user.calendar.disconnected","data":{"user_email":"canary@example.com"}}'


class Listener:
    """A listener that was started."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.url = url

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode()

    async def post(self, body: bytes, headers: dict[str, str]) -> int:
        async with (
            aiohttp.ClientSession() as http,
            http.post(self.url, data=body, headers=headers) as answer,
        ):
            return answer.status


@asynccontextmanager
async def listening(folder: Path, *options: str) -> AsyncIterator[Listener]:
    process = await asyncio.create_subprocess_exec(
        FANOUT, "listen", "--port", "0", *options,
        env=environment({}), cwd=folder,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        said = (await process.stderr.readline()).decode()
        yield Listener(process, said.split()[-1])
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


def signed(scheme: Scheme, secret: str, body: bytes = BODY) -> dict[str, str]:
    now = int(datetime.now(UTC).timestamp())
    key = signing_key(scheme, secret)
    headers = signature_headers(scheme, [key], "wh_del_1", now, body)
    return {**headers, "fanout-attempt": "1"}


async def test_half_sent_requests_do_not_shut_a_webhook_out(tmp_path: Path) -> None:
    """Hundreds of clients that say no more; who says all that he has to say is answered."""
    async with listening(tmp_path) as listener:
        port = URL(listener.url).port
        assert port is not None
        async with SlowClients(port) as strangers, asyncio.timeout(20):
            await strangers.send(HALF_A_BODY, times=400)
            assert await listener.post(BODY, {}) == 200


@pytest.mark.parametrize("scheme", list(Scheme))
async def test_what_we_sign_verifies_and_what_was_changed_does_not(
    tmp_path: Path, scheme: Scheme
) -> None:
    """Each scheme: 200 and `verified`; another body is 401 and `NOT VERIFIED`."""
    secret = new_secret(scheme)
    shared = public_key(secret) if scheme is Scheme.STANDARD_ED25519 else secret
    (tmp_path / "secret").write_text(shared)
    async with listening(tmp_path, "--secret-file", "secret") as listener:
        headers = signed(scheme, secret)
        assert await listener.post(BODY, headers) == 200
        line = await listener.line()
        assert "wh_del_1" in line
        assert line.rstrip().endswith("verified")
        assert "canary" not in line
        assert await listener.post(BODY + b" ", headers) == 401
        assert "NOT VERIFIED" in await listener.line()


async def test_a_replayed_timestamp_does_not_verify(tmp_path: Path) -> None:
    """Older than five minutes is refused, however well it is signed."""
    secret = new_secret(Scheme.STANDARD)
    key = signing_key(Scheme.STANDARD, secret)
    old = int(datetime.now(UTC).timestamp()) - 301
    async with listening(tmp_path, "--secret", secret) as listener:
        headers = signature_headers(Scheme.STANDARD, [key], "wh_del_1", old, BODY)
        assert await listener.post(BODY, headers) == 401


async def test_answers_follow_the_script_and_the_last_one_repeats(tmp_path: Path) -> None:
    """`--status 500,503,204`, as JSON lines."""
    async with listening(tmp_path, "--status", "500,503,204", "-o", "jsonl") as listener:
        answers = [await listener.post(BODY, {"fanout-replay": "true"}) for _ in range(4)]
        told = [json.loads(await listener.line()) for _ in range(4)]
    assert answers == [500, 503, 204, 204]
    assert [one["answered"] for one in told] == answers
    assert told[0]["verified"] is None
    assert told[0]["replay"] is True
    assert told[0]["event"] == json.loads(BODY)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_it_ends_when_it_is_told_to(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """SIGTERM is an end, Ctrl-C is 130; no traceback either way."""
    async with listening(tmp_path) as listener:
        assert listener.url.startswith("http://127.0.0.1:")
        listener.process.send_signal(number)
        _, said = await listener.process.communicate()
    assert listener.process.returncode == code
    assert b"Traceback" not in said


async def test_a_taken_port_is_a_plain_error(tmp_path: Path) -> None:
    """Exit 2 and one line."""
    async with listening(tmp_path) as listener:
        port = listener.url.rpartition(":")[2]
        async with listening(tmp_path, "--port", port) as second:
            await second.process.wait()
            assert second.process.returncode == 2
