"""The management API's answers, odd ones too: values always, bounded, without credentials."""

import asyncio
import json
import time

import pytest
from tests.harness.servers.raw_server import Answer, Exchange, RawServer, ok

from disconnect_fanout.adapters.broker.management import Absent, Management, Unanswered
from disconnect_fanout.adapters.broker.management_place import place_of

AMQP = "amqp://fanout:s3cret@127.0.0.1:5672/some%2Fwhere"


def saying(part: bytes) -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.say(part)

    return answer


def status(line: str, body: bytes = b"", *headers: bytes) -> bytes:
    return ok(body, *headers).replace(b"200 OK", line.encode())


async def mute(_: Exchange) -> None:
    """Say nothing, and leave the connection open."""


async def cut(exchange: Exchange) -> None:
    await exchange.say(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n[")
    exchange.hang_up()


ODD: dict[str, tuple[Answer, str]] = {
    "mute": (mute, "in time"),
    "401": (saying(status("401 Unauthorized", b"{}")), "tag management"),
    "403": (saying(status("403 Forbidden")), "tag management"),
    "404 of another server": (saying(status("404 Not Found", b"<html>")), "404"),
    "500": (saying(status("500 Oops", b"{}")), "500"),
    "redirect": (saying(status("302 Found", b"", b"location: http://127.0.0.1:1/")), "302"),
    "garbage": (saying(ok(b"<html>")), "no sense"),
    "other JSON": (saying(ok(b'{"a": 1}')), "no sense"),
    "deep JSON": (saying(ok(b"[" * 100_000)), "no sense"),
    "list of numbers": (saying(ok(b"[1]")), "no sense"),
    "huge": (saying(ok(b"[" + b" " * 2_000_000 + b"]")), "too long"),
    "cut short": (cut, "can't be asked"),
    "no HTTP": (saying(b"AMQP\x00\x00\x09\x01\r\n\r\n"), "can't be asked"),
}


@pytest.mark.parametrize(("answer", "words"), ODD.values(), ids=ODD.keys())
async def test_an_odd_answer_is_a_value(answer: Answer, words: str) -> None:
    """For each question; in bounded time; the password is in no word and no representation."""
    async with RawServer(answer) as server:
        management = Management(place_of(AMQP, server.url(path="")), timeout_s=0.5)
        began = time.monotonic()
        for found in (
            await management.bindings("calendar.events", "fanout.events"),
            await management.policies(),
            await management.exchange("calendar.events"),
            await management.cluster(),
        ):
            if not isinstance(found, str):
                assert isinstance(found, Unanswered)
                assert words in found.why
                assert "s3cret" not in repr(found)
        assert time.monotonic() - began < 10
        assert "s3cret" not in repr(vars(management))


async def test_nobody_listens() -> None:
    """A value too."""
    found = await Management(place_of(AMQP, "http://127.0.0.1:1")).cluster()
    assert isinstance(found, Unanswered)


async def test_what_is_not_there_is_another_value() -> None:
    """RabbitMQ's own 404: there is no such binding, queue or exchange."""
    body = b'{"error":"Object Not Found","reason":"Not Found"}'
    async with RawServer(saying(status("404 Object Not Found", body))) as server:
        management = Management(place_of(AMQP, server.url(path="")))
        assert await management.bindings("a", "b") == Absent()
        assert await management.exchange("a") == Absent()


async def test_the_question_is_percent_encoded_and_goes_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A vhost with a slash is one part of the path; a proxy of the environment is not used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    body = json.dumps([{"routing_key": "k", "arguments": {}}]).encode()
    requests: list[bytes] = []

    async def answer(exchange: Exchange) -> None:
        requests.append(exchange.request)
        await exchange.say(ok(body))

    async with RawServer(answer) as server:
        management = Management(place_of(AMQP, server.url(path="/prefix/")))
        assert await management.bindings("calendar.events", "fanout.events") == frozenset({"k"})
    line = b"GET /prefix/api/bindings/some%2Fwhere/e/calendar.events/q/fanout.events HTTP/1.1"
    assert requests[0].startswith(line)


PLACES = {
    "beside": (AMQP, None, "http://127.0.0.1:15672", "fanout", "some/where"),
    "beside, TLS": ("amqps://u:p@[::1]:5671/", None, "https://[::1]:15671", "u", "/"),
    "no user": ("amqp://127.0.0.1", None, "http://127.0.0.1:15672", "guest", "/"),
    "given": (AMQP, "https://127.0.0.1/a/", "https://127.0.0.1/a", "fanout", "some/where"),
    "given user": (AMQP, "http://m:q@[::1]:9/", "http://[::1]:9", "m", "some/where"),
}


@pytest.mark.parametrize(
    ("amqp", "given", "url", "user", "vhost"), PLACES.values(), ids=PLACES.keys()
)
def test_where_it_is(amqp: str, given: str | None, url: str, user: str, vhost: str) -> None:
    """As configured, else beside the broker; no credentials in the URL that is shown."""
    place = place_of(amqp, given)
    assert (place.url, place.user, place.vhost) == (url, user, vhost)
    assert place.password not in repr(place) or len(place.password) == 1


def test_an_unreadable_authority_is_an_os_error() -> None:
    """Which is one of the values, when it is asked."""
    place = place_of("amqps://u:p@127.0.0.1/?cafile=/nowhere.pem", None)
    found = asyncio.run(Management(place).cluster())
    assert found == Unanswered("it can't be asked (FileNotFoundError)")
