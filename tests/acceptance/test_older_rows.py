"""Rows that an older version hashed, with workers running: nobody's telling is lost for them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.harness.servers.receiver import Receiver
from tests.harness.servers.vhost import Vhost
from tests.harness.store.examples import link
from tests.harness.store.older_version import OlderVersion
from tests.harness.store.sql_world import SqlWorld
from tests.harness.worker.api_process import ApiProcess
from tests.harness.worker.disconnect import disconnect
from tests.harness.worker.installation import Installation

from disconnect_fanout.adapters.crypto.vault import Vault
from disconnect_fanout.adapters.store.database import Database
from disconnect_fanout.adapters.store.seals.event_seals import load_seals

PEOPLE = (
    "alice@example.com", "x@b\u00fccher.example", "y@xn--bcher-kva.example", "jos\u00e9@x.example",
    "stra\u00dfe@x.example", "w@wei\u00df.example",
)  # fmt: skip
SPELLED = {
    "x@b\u00fccher.example": "x@XN--BCHER-KVA.example",
    "jos\u00e9@x.example": "JOSE\u0301@x.example",
}


@pytest.fixture
async def installation(vhost: Vhost, database_url: str, tmp_path: Path) -> Installation:
    """Migrated."""
    made = Installation(vhost, database_url, tmp_path)
    await made.migrate()
    return made


async def past(installation: Installation) -> SqlWorld:
    """The database of the installation."""
    url = installation.settings["FANOUT_DATABASE_URL"]
    vault = Vault([installation.settings["FANOUT_SECRET_KEY"]])
    database = Database(url)
    seals = await load_seals(database, vault)
    await database.close()
    return SqlWorld(url, vault, seals)


def disconnects(turn: int, people: Iterable[str]) -> list[dict[str, Any]]:
    """One of each, without a Google id."""
    return [disconnect(f"evt_{turn}_{nth}", one, google_id=None) for nth, one in enumerate(people)]


async def test_older_links_are_told_before_while_and_after(installation: Installation) -> None:
    """A worker that has just started, one that is done, and one beside which more are written."""
    world = await past(installation)
    older = OlderVersion(world)
    async with Receiver() as luma:
        await installation.register("luma", luma)
        await older.link(*(link(one, "luma") for one in PEOPLE))
        await older.link(*(link(f"u{nth}@b\u00fccher.example", "nobody") for nth in range(3000)))
        async with installation.worker() as worker:
            await installation.publish(*disconnects(0, PEOPLE))
            await luma.received(len(PEOPLE))
            await older.looked_at()
            spelled = [SPELLED.get(one, one) for one in PEOPLE]
            await installation.publish(*disconnects(1, spelled))
            await luma.received(2 * len(PEOPLE))
            later = [f"later.{one}" for one in PEOPLE]
            await older.link(*(link(one, "luma") for one in later))
            await installation.publish(*disconnects(2, later))
            heard = await luma.received(3 * len(PEOPLE))
            assert "x.example" not in worker.stderr
    told = [one.json()["data"]["user_email"] for one in heard]
    assert sorted(told) == sorted([*PEOPLE, *spelled, *later]), "verbatim, as upstream wrote them"
    await world.close()


async def test_both_apis_and_a_namesake(installation: Installation) -> None:
    """A platform's DELETE and an owner's end the links of one mailbox, and tell of nobody else."""
    async with (
        Receiver() as luma,
        Receiver() as cal,
        ApiProcess(installation.settings, installation.folder) as api,
    ):
        await installation.register("luma", luma)
        await installation.register("cal", cal)
        for email, platform in (
            ("w@wei\u00df.example", "luma"), ("w@weiss.example", "cal"),
            ("x@b\u00fccher.example", "luma"), ("stra\u00dfe@x.example", "luma"),
            ("strasse@x.example", "cal"),
        ):  # fmt: skip
            await installation.link(email, platform)
        await installation.ask(
            "credentials", "add", "--id", "10", "--type", "google_calendar", "--user-id", "7",
            "--email", "stra\u00dfe@x.example",
        )  # fmt: skip
        key = (await installation.ask("keys", "create", "--platform", "luma"))["key"]
        for email, status in (
            ("w@weiss.example", 404), ("w@xn--wei-7ka.example", 200), ("w@wei\u00df.example", 404),
            ("X@xn--bcher-kva.example.", 200), ("strasse@x.example", 404),
        ):  # fmt: skip
            told = await api.ask("DELETE", f"/v1/calendars/{quote(email)}", ("X-API-Key", key))
            assert told.status == status, email
        created = await installation.ask(
            "keys", "create", "--kind", "cal_api_key", "--user-id", "7"
        )
        bearer = ("Authorization", f"Bearer {created['key']}")
        path = "/v2/calendars/google/disconnect"
        answer = await api.ask("POST", path, bearer, body=b'{"id": 10}')
        assert answer.status == 200, answer.text
        async with installation.worker():
            heard = await luma.received(3)
            await installation.settled("delivered", 3)
    emails = {one.json()["data"]["user_email"] for one in heard}
    assert emails == {"w@wei\u00df.example", "x@b\u00fccher.example", "stra\u00dfe@x.example"}
    assert cal.requests == []
    for email in ("w@weiss.example", "strasse@x.example"):
        (left,) = await installation.ask("links", "list", "--email", email)
        assert (left["platform_id"], left["unlinked_at"]) == ("cal", None)
