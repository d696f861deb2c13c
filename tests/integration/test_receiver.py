"""The scripted platform: what it answers, what it records, and how a test waits for it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from tests.harness.servers.answer import HANG, RESET, Answer
from tests.harness.servers.received import Received
from tests.harness.servers.receiver import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the golden vector's


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5)) as session:
        yield session


async def _post(http: aiohttp.ClientSession, receiver: Receiver, body: bytes = b"{}") -> int:
    async with http.post(receiver.url, data=body) as response:
        await response.read()
        return response.status


async def test_a_list_is_worked_off_and_its_last_entry_goes_on(http: aiohttp.ClientSession) -> None:
    """500, 503, 200 means 200 for ever after; each request is recorded with its bytes."""
    async with Receiver([500, 503, 200]) as receiver:
        assert [await _post(http, receiver) for _ in range(4)] == [500, 503, 200, 200]
        first, *_, last = await receiver.received(4)
    assert (first.number, first.method, first.path, first.body) == (1, "POST", "/hook", b"{}")
    assert first.at < last.at
    assert first.peer_port == last.peer_port  # one connection, kept alive


async def test_a_callable_decides_for_each_request(http: aiohttp.ClientSession) -> None:
    """It sees the request, and its answer may carry headers and a body."""

    def busy(request: Received) -> Answer:
        return Answer(status=429, headers={"Retry-After": str(request.number)})

    async with Receiver(busy) as receiver, http.post(receiver.url) as response:
        assert (response.status, response.headers["retry-after"]) == (429, "1")


async def test_what_hangs_is_answered_when_it_is_released(http: aiohttp.ClientSession) -> None:
    """Until then the client waits for nothing."""
    async with Receiver(HANG) as receiver:
        with pytest.raises(TimeoutError):
            await _post(http, receiver)
        waiting = asyncio.create_task(_post(http, receiver))
        await receiver.received(2)
        receiver.release()
        assert await waiting == 200


async def test_a_reset_breaks_the_connection(http: aiohttp.ClientSession) -> None:
    """The request came, and no answer does."""
    async with Receiver(RESET) as receiver:
        with pytest.raises(aiohttp.ClientOSError):
            await _post(http, receiver)
        await receiver.received(1)


async def test_a_drip_outlasts_a_timeout_that_covers_the_body(http: aiohttp.ClientSession) -> None:
    """The headers come at once, the body does not end in time."""
    async with Receiver(Answer(body=b"x" * 20, drip=0.1)) as receiver:
        with pytest.raises(TimeoutError):
            await _post(http, receiver)


async def test_a_platform_goes_away_and_comes_back(http: aiohttp.ClientSession) -> None:
    """On the same port, and with what it had recorded."""
    async with Receiver() as receiver:
        await _post(http, receiver)
        await receiver.stop()
        with pytest.raises(aiohttp.ClientOSError):
            await _post(http, receiver)
        await receiver.start()
        assert await _post(http, receiver) == 200
        assert len(await receiver.received(2)) == 2


async def test_a_claim_about_requests_fails_with_the_number_that_came(
    http: aiohttp.ClientSession,
) -> None:
    """Too few, or one too many."""
    async with Receiver() as receiver:
        await _post(http, receiver)
        await receiver.stays_at(1, during=0.05)
        with pytest.raises(AssertionError, match="1 of 2"):
            await receiver.received(2, within=0.05)
        with pytest.raises(AssertionError, match="1 requests came, and not 0"):
            await receiver.stays_at(0, during=0.05)


async def test_a_signature_is_verified_by_the_public_library(http: aiohttp.ClientSession) -> None:
    """The raw bytes and the headers are what was signed; another body is not."""
    now, body = datetime.now(UTC), '{"test": 2432232314}'
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", now, body),
    }
    async with Receiver() as receiver:
        for sent in (body, "{}"):
            async with http.post(receiver.url, data=sent, headers=headers):
                pass
        genuine, forged = await receiver.received(2)
    assert genuine.verify(SECRET) == {"test": 2432232314}
    assert genuine.webhook_id == "msg_1"
    with pytest.raises(WebhookVerificationError):
        forged.verify(SECRET)
