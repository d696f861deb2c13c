"""``DELETE /v1/calendars/{email}``, sentence by sentence, over a real socket."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.harness.servers.receiver import Receiver
from tests.harness.worker.api_process import ApiProcess, raw
from tests.harness.worker.installation import Installation

ALICE = "alice@example.com"
DONE = (
    b'{"success":true,"message":"Calendar disconnected successfully",'
    b'"email":"alice@example.com","platform_id":"plat_boardy"}'
)
NO_KEY = b'{"error":"Invalid or missing API key"}'
NO_CONNECTION = b'{"error":"No calendar connection found for this user and platform"}'
NOWHERE = "http://127.0.0.1:1/hook"


class Scene:
    """An installation with three platforms, a key for each, and an API."""

    def __init__(self, installation: Installation, api: ApiProcess) -> None:
        self.installation = installation
        self.api = api
        self.keys: dict[str, str] = {}

    async def delete(self, path: str, *headers: tuple[str, str]) -> tuple[int, bytes]:
        told = await self.api.ask("DELETE", f"/v1/calendars/{path}", *headers)
        return told.status, told.text

    def key(self, platform: str = "plat_boardy") -> tuple[str, str]:
        return "X-API-Key", self.keys[platform]

    async def open_links(self, email: str = ALICE) -> list[str]:
        links = await self.installation.ask("links", "list", "--email", email)
        return sorted(one["platform_id"] for one in links if one["unlinked_at"] is None)


@pytest.fixture
async def scene(any_installation: Installation) -> AsyncIterator[Scene]:
    """Nobody is linked yet, and nobody can be told."""
    async with ApiProcess(any_installation.settings, any_installation.folder) as api:
        made = Scene(any_installation, api)
        for platform in ("plat_boardy", "plat_luma", "plat_calcom"):
            await any_installation.register(platform, NOWHERE)
            key = await any_installation.ask("keys", "create", "--platform", platform)
            assert list(key) == ["id", "key"]
            made.keys[platform] = key["key"]
        yield made


async def test_all_three_platforms_are_told(any_installation: Installation) -> None:
    """Boardy calls DELETE; Boardy, Luma and Cal.com receive the webhook, each its own."""
    installation = any_installation
    async with Receiver() as boardy, Receiver() as luma, Receiver() as calcom:
        receivers = {"plat_boardy": boardy, "plat_luma": luma, "plat_calcom": calcom}
        for platform, receiver in receivers.items():
            await installation.register(platform, receiver)
        await installation.link(ALICE, *receivers)
        key = (await installation.ask("keys", "create", "--platform", "plat_boardy"))["key"]
        async with (
            installation.worker(),
            ApiProcess(installation.settings, installation.folder) as api,
        ):
            told = await api.ask(
                "DELETE", f"/v1/calendars/{ALICE}", ("Authorization", f"Bearer {key}")
            )
            assert (told.status, told.text) == (200, DONE)
            heard = {name: (await one.received(1))[0].json() for name, one in receivers.items()}
    assert {body["platform_id"] for body in heard.values()} == set(receivers)
    assert all(body["platform_id"] == name for name, body in heard.items())
    assert len({body["id"] for body in heard.values()}) == 1
    data: list[dict[str, Any]] = [body["data"] for body in heard.values()]
    assert {one["user_email"] for one in data} == {ALICE}
    assert {one["reason"] for one in data} == {"user_requested"}
    links = await installation.ask("links", "list", "--email", ALICE)
    assert {one["unlinked_at"] for one in links} == {data[0]["disconnected_at"]}


async def test_who_may_ask(scene: Scene) -> None:
    """Either header, or both alike; none, two different ones, a publishable or unknown one: 401."""
    await scene.installation.link(ALICE, "plat_boardy")
    key = scene.keys["plat_boardy"]
    refused: list[tuple[tuple[str, str], ...]] = [
        (),
        (("X-API-Key", "sk_unknown"),),
        (("X-API-Key", f"pk_{key}"),),
        (("Authorization", key),),
        (("Authorization", f"Basic {key}"),),
        (("Authorization", f"Bearer {key}"), ("X-API-Key", scene.keys["plat_luma"])),
        (("Authorization", "Bearer "), ("X-API-Key", key)),
    ]
    for headers in refused:
        assert await scene.delete(ALICE, *headers) == (401, NO_KEY), headers
    assert await scene.open_links() == ["plat_boardy"]
    both = (("Authorization", f"bearer {key}"), ("X-API-Key", key))
    assert await scene.delete(ALICE, *both) == (200, DONE)


async def test_not_found_is_per_user_and_platform(scene: Scene) -> None:
    """Linked only elsewhere: 404, nothing ends, nobody is told; and a second call is 404 too."""
    await scene.installation.link(ALICE, "plat_luma")
    assert await scene.delete(ALICE, scene.key()) == (404, NO_CONNECTION)
    assert await scene.open_links() == ["plat_luma"]
    assert await scene.installation.depth("events") == 0
    await scene.installation.link(ALICE, "plat_boardy")
    assert await scene.delete(ALICE, scene.key()) == (200, DONE)
    assert await scene.open_links() == []
    assert await scene.delete(ALICE, scene.key()) == (404, NO_CONNECTION)
    await scene.installation.depth_becomes("events", 1)


ADDRESSES = {
    "alice%40example.com": ALICE,
    "A+b@example.com": "a+b@example.com",
    "a%2Bc%40example.com": "a+c@example.com",
    "50%2525@example.com": "50%25@example.com",
    "j%C3%BCrgen@example.com": "jürgen@example.com",
    "a%2Fb@example.com": "a/b@example.com",
}
NO_ADDRESSES = (
    "a%zz@example.com", "a%4@example.com", "%FF@example.com", "alice%0A@example.com",
    "alice%00@example.com", "no-address", "a@b@example.com", f"{'a' * 5000}@example.com",
    "alice%2540example.com",
)  # fmt: skip


async def test_the_address_is_decoded_once_and_folded(scene: Scene) -> None:
    """URL-encoded or raw @, percent-decoded exactly once, + kept, matched case-folded."""
    await scene.installation.link(ADDRESSES.values(), "plat_boardy")
    for path, user in ADDRESSES.items():
        assert (await scene.delete(path, scene.key()))[0] == 200, path
        assert await scene.open_links(user) == []


async def test_what_is_no_address_is_nobodys(scene: Scene) -> None:
    """The documented 404, nothing changed, nothing published; and the API goes on."""
    await scene.installation.link(ALICE, "plat_boardy")
    for path in NO_ADDRESSES:
        assert await scene.delete(path, scene.key()) == (404, NO_CONNECTION), path
    assert await scene.open_links() == ["plat_boardy"]
    assert await scene.installation.depth("events") == 0


async def test_what_no_client_sends(scene: Scene) -> None:
    """Raw bytes in the path and a path without end get an answer of the 400 class."""
    key = scene.keys["plat_boardy"].encode()
    head = b" HTTP/1.1\r\nhost: x\r\nx-api-key: " + key + b"\r\nconnection: close\r\n\r\n"
    for path in (b"/v1/calendars/\xff@example.com", b"/v1/calendars/" + b"a" * 100_000):
        status = int((await raw(scene.api, b"DELETE " + path + head)).split()[1])
        assert 400 <= status < 500
    assert (await scene.api.ask("GET", "/livez")).status == 200
    assert (await scene.api.ask("PUT", f"/v1/calendars/{ALICE}")).status == 405
    assert (await scene.api.ask("DELETE", "/v1/elsewhere")).status == 404


async def test_credentials_go_with_the_connection(scene: Scene) -> None:
    """The user's stored Google credentials are deleted; those of others and of Apple are not."""
    rows = (("1", "google_calendar", ALICE), ("2", "apple_calendar", ALICE),
            ("3", "google_calendar", "bob@example.com"))  # fmt: skip
    for number, kind, email in rows:
        await scene.installation.ask(
            "credentials", "add", "--id", number, "--type", kind, "--user-id", "7",
            "--email", email,
        )  # fmt: skip
    await scene.installation.link(ALICE, "plat_boardy")
    assert (await scene.delete(ALICE, scene.key()))[0] == 200
    left = await scene.installation.ask("credentials", "list")
    assert [one["id"] for one in left] == [2, 3]


async def test_the_same_request_again_is_answered_alike(scene: Scene) -> None:
    """With an Idempotency-Key: 200 again instead of 404, one event; another request is refused."""
    await scene.installation.link([ALICE, "bob@example.com"], "plat_boardy")
    once = (scene.key(), ("Idempotency-Key", "try-1"))
    assert await scene.delete(ALICE, *once) == (200, DONE)
    assert await scene.delete(ALICE, *once) == (200, DONE)
    await scene.installation.depth_becomes("events", 1)
    status, _ = await scene.delete("bob@example.com", *once)
    assert status == 422
    assert await scene.open_links("bob@example.com") == ["plat_boardy"]
    missing = (scene.key(), ("Idempotency-Key", "try-2"))
    assert await scene.delete("carol@example.com", *missing) == (404, NO_CONNECTION)
    await scene.installation.link("carol@example.com", "plat_boardy")
    assert await scene.delete("carol@example.com", *missing) == (404, NO_CONNECTION)


async def test_bytes_that_are_no_text_are_no_fault_of_ours(scene: Scene) -> None:
    """In a token they are just bytes; in a key a stranger's; a body badly packed is a 400."""
    key = scene.key()[1].encode()
    asked = b"DELETE /v1/calendars/alice@example.com HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    own = b"X-API-Key: " + key + b"\r\n"
    for headers, status in (
        (own + b"Idempotency-Key: \xff\r\n\r\n", b"404"),
        (b"X-API-Key: \xff\r\n\r\n", b"401"),
        (own + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", b"400"),
    ):
        answer = await raw(scene.api, asked + headers)
        assert answer.split()[1] == status, answer
        assert answer.endswith(b'"}'), answer


async def test_a_revoked_key_is_no_key(scene: Scene) -> None:
    """From the next request on."""
    await scene.installation.link(ALICE, "plat_boardy")
    (mine,) = [one for one in await scene.installation.ask("keys", "list")
               if one["platform_id"] == "plat_boardy"]  # fmt: skip
    await scene.installation.ask("keys", "revoke", mine["id"])
    assert await scene.delete(ALICE, scene.key()) == (401, NO_KEY)
    assert (await scene.installation.fanout("keys", "revoke", "key_unknown")).exit_code == 5
