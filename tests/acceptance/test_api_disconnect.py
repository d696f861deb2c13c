"""``POST /v2/calendars/{calendar}/disconnect``, sentence by sentence, over a real socket."""

from collections.abc import AsyncIterator

import pytest
from tests.harness.servers.receiver import Receiver
from tests.harness.worker.api_process import ApiProcess, Told
from tests.harness.worker.installation import Installation

ALICE = "alice@example.com"
APPS_WRITE = ("--scope", "APPS_WRITE")
GONE = (
    b'{"status":"success","data":{"id":10,"type":"google_calendar","userId":7,"teamId":null,'
    b'"appId":"google-calendar","invalid":false}}'
)


class Scene:
    """An installation with Alice's three credentials, tokens of hers, and an API."""

    def __init__(self, installation: Installation, api: ApiProcess) -> None:
        self.installation = installation
        self.api = api

    async def token(self, kind: str, *options: str, user_id: str = "7") -> tuple[str, str]:
        how = ("keys", "create", "--kind", kind, "--user-id", user_id, *options)
        return "Authorization", f"Bearer {(await self.installation.ask(*how))['key']}"

    async def post(self, calendar: str, body: bytes, *headers: tuple[str, str]) -> Told:
        path = f"/v2/calendars/{calendar}/disconnect"
        return await self.api.ask("POST", path, *headers, body=body)

    async def left(self) -> list[int]:
        return [one["id"] for one in await self.installation.ask("credentials", "list")]


@pytest.fixture
async def scene(any_installation: Installation) -> AsyncIterator[Scene]:
    """Nobody is told of anything yet."""
    settings, folder = any_installation.settings, any_installation.folder
    async with ApiProcess(settings, folder) as api:
        made = Scene(any_installation, api)
        for number, kind in ((10, "google"), (11, "apple"), (12, "office365")):
            await any_installation.ask(
                "credentials", "add", "--id", str(number), "--type", f"{kind}_calendar",
                "--user-id", "7", "--email", ALICE, "--google-id", "1059",
            )  # fmt: skip
        yield made


@pytest.mark.parametrize(
    ("kind", "options"), [("cal_api_key", ()), ("managed_user", ()), ("oauth", APPS_WRITE)]
)
async def test_the_credential_goes_and_the_platforms_are_told(
    any_installation: Installation, scene: Scene, kind: str, options: tuple[str, ...]
) -> None:
    """200 with the credential that there was; its links end, and their platforms hear of it."""
    installation = any_installation
    async with Receiver() as luma, Receiver() as calcom:
        for platform, receiver in (("plat_luma", luma), ("plat_calcom", calcom)):
            await installation.register(platform, receiver)
        for platform, provider in (("plat_luma", "google"), ("plat_calcom", "apple")):
            await installation.ask(
                "links", "add", "--email", ALICE, "--platform", platform, "--provider", provider,
                "--at", "2020-01-01T00:00:00Z",
            )  # fmt: skip
        async with installation.worker():
            bearer = await scene.token(kind, *options)
            told = await scene.post("google", b'{"id": 10}', bearer)
            assert (told.status, told.text) == (200, GONE)
            (heard,) = await luma.received(1)
            assert heard.json()["data"]["google_id"] == "1059"
            assert (await scene.post("google", b'{"id": 10}', bearer)).status == 404
            assert await scene.left() == [11, 12]
            told = await scene.post("apple", b'{"id": 11}', bearer)
            assert told.json()["data"]["appId"] == "apple-calendar"
            (heard,) = await calcom.received(1)
            assert heard.json()["data"]["google_id"] is None
            assert heard.json()["data"]["provider"] == "apple"
    links = await installation.ask("links", "list", "--email", ALICE)
    assert all(one["unlinked_at"] for one in links)
    assert len(luma.requests) == 1


async def test_who_may_not(scene: Scene) -> None:
    """No or an unknown token, a platform's, one in X-API-Key: 401; without the scope: 403."""
    await scene.installation.register("plat_boardy", "http://127.0.0.1:1/hook")
    platform = (await scene.installation.ask("keys", "create", "--platform", "plat_boardy"))["key"]
    _, bearer = await scene.token("cal_api_key")
    mine = bearer.removeprefix("Bearer ")
    assert mine.startswith("cal_")
    refused = (
        (), (("Authorization", "Bearer cal_unknown"),), (("Authorization", mine),),
        (("Authorization", f"Bearer {platform}"),), (("X-API-Key", mine),),
    )  # fmt: skip
    for headers in refused:
        told = await scene.post("google", b'{"id": 10}', *headers)
        assert (told.status, told.json()["status"]) == (401, "error"), headers
    told = await scene.post("google", b'{"id": 10}', await scene.token("oauth"))
    assert (told.status, told.json()["status"]) == (403, "error")
    assert await scene.left() == [10, 11, 12]


async def test_what_is_not_there(scene: Scene) -> None:
    """Another user's credential, an unknown id, one of another type: 404, and nothing changes."""
    mine, other = await scene.token("cal_api_key"), await scene.token("cal_api_key", user_id="8")
    asked = (
        ("google", b'{"id": 10}', other), ("google", b'{"id": 99}', mine),
        ("google", b'{"id": 11}', mine), ("apple", b'{"id": 10}', mine),
        ("google", b'{"id": -1}', mine), ("google", b'{"id": 99999999999999999999}', mine),
    )  # fmt: skip
    for calendar, body, bearer in asked:
        told = await scene.post(calendar, body, bearer)
        assert (told.status, told.json()["status"]) == (404, "error"), body
    assert await scene.left() == [10, 11, 12]
    assert await scene.installation.depth("events") == 0


NO_REQUESTS = (
    ("ical", b'{"id": 10}'), ("Google", b'{"id": 10}'), ("google%", b'{"id": 10}'),
    ("google", b""), ("google", b"id=10"), ("google", b"[10]"), ("google", b"{}"),
    ("google", b'{"id": "10"}'), ("google", b'{"id": true}'), ("google", b'{"id": 10.0}'),
    ("google", b'{"id": null}'), ("google", b'{"id": 10, "id": 10}'),
    ("google", b'{"id": 10, "x": "' + b"y" * 10 * 1024 * 1024 + b'"}'),
    ("google", b'{"id": \xff}'), ("google", b"[" * 20_000),
    ("google", b'{"id": 10, "x": NaN}'), ("google", rb'{"\u0069d": 10, "id": 10}'),
    ("google", b'{"id": 10, "x": 1, "x": 2}'),
)  # fmt: skip


async def test_what_is_no_request(scene: Scene) -> None:
    """Another calendar, no object, no integer id, a key twice, ten MiB: 400, nothing changes."""
    bearer = await scene.token("cal_api_key")
    for calendar, body in NO_REQUESTS:
        told = await scene.post(calendar, body, bearer)
        assert (told.status, told.json()["status"]) == (400, "error"), (calendar, body[:20])
    assert await scene.left() == [10, 11, 12]
    assert await scene.installation.depth("events") == 0


ODD_EXTRAS = (
    rb'"\ud800"', b"9" * 10_000, b"1e999", b"[" * 20_000 + b"]" * 20_000,
    b'{"id": 1, "id": 2}', b'{"a": [{"b": 1, "b": 2}]}',
)  # fmt: skip


async def test_a_field_that_nobody_reads_may_hold_anything(scene: Scene) -> None:
    """It is read as if it were not there: what is asked for is not found, or is done."""
    bearer = await scene.token("cal_api_key")
    for extra in ODD_EXTRAS:
        told = await scene.post("google", b'{"id": 99, "x": %s}' % extra, bearer)
        assert (told.status, told.json()["status"]) == (404, "error"), extra[:20]
    told = await scene.post("google", b'{"x": %s, "id": 10}' % ODD_EXTRAS[3], bearer)
    assert (told.status, told.text) == (200, GONE)


async def test_the_same_request_again_is_answered_alike(scene: Scene) -> None:
    """With an Idempotency-Key: the deleted credential once more, and no second event."""
    once = (await scene.token("managed_user"), ("Idempotency-Key", "try-1"))
    for _ in range(2):
        told = await scene.post("google", b'{"id": 10}', *once)
        assert (told.status, told.text) == (200, GONE)
    assert (await scene.post("apple", b'{"id": 11}', *once)).status == 422
    await scene.installation.depth_becomes("events", 1)
    assert await scene.left() == [11, 12]


async def test_too_many_requests(installation: Installation) -> None:
    """429 with Retry-After for the key that asks too often, and for nobody else."""
    settings = {**installation.settings, "FANOUT_API_RATE": "0.5/s"}
    async with ApiProcess(settings, installation.folder) as api:
        scene = Scene(installation, api)
        mine, other = await scene.token("cal_api_key"), await scene.token("oauth", user_id="8")
        assert (await scene.post("google", b'{"id": 1}', mine)).status == 404
        told = await scene.post("google", b'{"id": 1}', mine)
        assert told.status == 429
        assert 1 <= int(told.headers["Retry-After"]) <= 2
        assert (await scene.post("google", b'{"id": 1}', other)).status == 403


async def test_a_file_of_credentials_is_imported_whole_or_not_at_all(scene: Scene) -> None:
    """A wrong line is named by its number; CSV and JSON lines say the same."""
    good = scene.installation.folder / "good.csv"
    good.write_text("id,type,user_id,email,invalid\n20,google_calendar,9,bob@example.com,true\n")
    bad = scene.installation.folder / "bad.jsonl"
    bad.write_text(
        '{"id": 21, "type": "google_calendar", "user_id": 9, "email": "x@y"}\n{"id": 22}\n'
    )
    refused = await scene.installation.fanout("credentials", "import", str(bad))
    assert refused.exit_code == 2
    assert "line 2: type: is missing" in refused.stderr
    done = await scene.installation.ask("credentials", "import", str(good))
    assert done == {"credentials": 1}
    listed = await scene.installation.ask("credentials", "list")
    assert [one["id"] for one in listed] == [10, 11, 12, 20]
    assert listed[-1] == {
        "id": 20, "type": "google_calendar", "user_id": 9, "email": "bob@example.com",
        "google_id": None, "team_id": None, "app_id": "google-calendar", "invalid": True,
    }  # fmt: skip
