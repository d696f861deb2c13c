"""The commands that speak to the broker: migrate, check, publish, rejected."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.harness.servers import amqp
from tests.harness.servers.vhost import Vhost
from tests.harness.worker.operator import Operator
from tests.harness.worker.shortage import descriptors

from disconnect_events import DisconnectEventV1
from disconnect_fanout.adapters.crypto.vault import new_key

EVENT_TYPE = "user.calendar.disconnected"
ALICE = ("--email", "Alice@example.com")


@pytest.fixture
def upstream(newcomer: Operator, vhost: Vhost, sqlite_url: str) -> Operator:
    """An operator with a broker and nothing else yet."""
    newcomer.settings |= {
        **vhost.settings,
        "FANOUT_DATABASE_URL": sqlite_url,
        "FANOUT_SECRET_KEY": new_key(),
    }
    return newcomer


def events(vhost: Vhost) -> list[DisconnectEventV1]:
    messages = asyncio.run(amqp.browse(vhost.url, vhost.queue("events")))
    return [DisconnectEventV1.model_validate_json(one.body) for one in messages]


def findings(operator: Operator) -> tuple[int, dict[str, str]]:
    result = operator.fanout("check", "-o", "json")
    return result.exit_code, {one["check"]: one["result"] for one in json.loads(result.stdout)}


def test_migrate_makes_database_and_queues_and_may_be_repeated(
    upstream: Operator, vhost: Vhost
) -> None:
    """The second time there was a schema before; nothing else differs."""
    first, second = upstream.ask("migrate"), upstream.ask("migrate")
    assert first["database_before"] is None
    assert second["database_before"] == first["database"]
    for queue in ("events", "dead", "rejected"):
        assert vhost.queue(queue) in first["queues"]
        assert asyncio.run(amqp.depth(vhost.url, vhost.queue(queue))) == 0


def test_a_conflicting_queue_is_exit_3_and_says_the_way_out(
    upstream: Operator, vhost: Vhost
) -> None:
    """A classic queue of that name is named, and nothing of it is changed."""

    async def declare() -> None:
        async with amqp.channel(vhost.url) as channel:
            await channel.declare_queue(vhost.queue("dead"), durable=True)

    asyncio.run(declare())
    said = upstream.refused("migrate", code=3)
    assert vhost.queue("dead") in said
    assert "FANOUT_PREFIX" in said


def test_check_says_what_to_do_until_everything_is_there(upstream: Operator) -> None:
    """Exit 3 before `migrate`, 0 after it, 4 without the broker; check itself changes nothing."""
    assert findings(upstream) == (
        3,
        {"configuration": "ok", "broker": "wrong", "database": "wrong"},
    )
    assert findings(upstream)[0] == 3
    assert "run: fanout migrate" in upstream.fanout("check").stdout
    upstream.ask("migrate")
    upstream.settings["FANOUT_MANAGEMENT_URL"] = "off"
    parts = ("configuration", "broker", "management", "database", "clock")
    everything = dict.fromkeys(parts, "ok")
    assert findings(upstream) == (0, everything)
    upstream.settings["FANOUT_AMQP_URL"] = "amqp://guest:guest@127.0.0.1:1/"
    code, found = findings(upstream)
    assert (code, found["broker"]) == (4, "unreachable")
    upstream.settings["FANOUT_TIMEOUT"] = "x"
    assert findings(upstream) == (3, {"configuration": "wrong"})


@pytest.mark.parametrize("queue", ["events", "dead", "rejected"])
def test_check_refuses_the_queue_that_run_refuses(
    upstream: Operator, vhost: Vhost, queue: str
) -> None:
    """A classic queue, or one of other arguments, under any of our names: exit 3, and the way out.

    Before, `check` asked whether it is there, and nothing else.
    """
    upstream.ask("migrate")

    async def other(kind: str) -> None:
        async with amqp.channel(vhost.url) as channel:
            await channel.queue_delete(vhost.queue(queue))
            how: Any = {"x-queue-type": kind}
            await channel.declare_queue(vhost.queue(queue), durable=True, arguments=how)

    for kind in ("classic", "quorum"):
        asyncio.run(other(kind))
        code, found = findings(upstream)
        assert (code, found["broker"]) == (3, "wrong")
        said = upstream.fanout("check", "-o", "json").stdout
        assert vhost.queue(queue) in said
        assert "FANOUT_PREFIX" in said


def test_check_names_all_that_is_gone_and_makes_nothing(upstream: Operator, vhost: Vhost) -> None:
    """The exchange and a queue; asked twice, so that the first look has put nothing back."""
    upstream.ask("migrate")

    async def remove() -> None:
        async with amqp.channel(vhost.url) as channel:
            await channel.exchange_delete(vhost.exchange)
            await channel.queue_delete(vhost.queue("dead"))

    asyncio.run(remove())
    for _ in range(2):
        assert findings(upstream)[0] == 3
        said = upstream.fanout("check", "-o", "json").stdout
        assert f"no exchange {vhost.exchange}, no queue {vhost.queue('dead')}" in said
        assert "run: fanout migrate" in said


def test_check_warns_of_too_few_descriptors(upstream: Operator) -> None:
    """More requests at once than sockets: `run` starts all the same, and what to do is said."""
    upstream.ask("migrate")
    upstream.settings["FANOUT_MAX_IN_FLIGHT"] = "65535"
    with descriptors(4096):
        code, found = findings(upstream)
        assert (code, found["descriptors"]) == (0, "warning")
        assert "ulimit -n" in upstream.fanout("check").stdout
    upstream.settings["FANOUT_MAX_IN_FLIGHT"] = "64"
    assert "descriptors" not in findings(upstream)[1]


def test_publish_sends_what_the_contract_says(upstream: Operator, vhost: Vhost) -> None:
    """One valid event under the printed id; the topology is declared on the way."""
    printed = upstream.fanout("publish", *ALICE, "--google-id", "105942374304").stdout.strip()
    (event,) = events(vhost)
    assert event.id == printed
    assert printed.startswith("evt_")
    assert event.data.user_email == "Alice@example.com"
    assert (event.data.google_id, event.data.provider) == ("105942374304", "google")
    assert event.data.reason == "user_requested"
    assert abs((datetime.now(UTC) - event.data.disconnected_at).total_seconds()) < 60


def test_publish_takes_every_field(upstream: Operator, vhost: Vhost) -> None:
    """The same command twice is the same event twice: it is told once."""
    options = (
        "--id", "evt_1", "--at", "2025-11-21T16:45:00+01:00", "--reason", "revoked",
        "--provider", "apple", "--initiated-by", "plat_boardy", "--platform", "plat_luma",
    )  # fmt: skip
    assert upstream.ask("publish", *ALICE, *options) == {"id": "evt_1"}
    upstream.ask("publish", *ALICE, *options)
    first, second = events(vhost)
    assert first == second
    assert first.data.disconnected_at == datetime(2025, 11, 21, 15, 45, tzinfo=UTC)
    assert (first.data.provider, first.data.reason) == ("apple", "revoked")
    assert (first.data.initiated_by, first.platform_ids) == ("plat_boardy", ["plat_luma"])


@pytest.fixture
def rejecting(upstream: Operator, vhost: Vhost) -> Operator:
    """An operator with three rejected events, two of them alike."""
    upstream.ask("migrate")
    queue = vhost.queue("rejected")
    bodies = (b'{"a": 1}', b'{"b": "canary@example.com"}', b'{"a": 1}')
    asyncio.run(amqp.publish(vhost.url, "", queue, *bodies))
    return upstream


def listed(operator: Operator) -> Any:
    return operator.ask("rejected", "list")


def test_listing_rejected_events_changes_nothing(rejecting: Operator) -> None:
    """The fields of the contract, the same ones twice; a list names no user, `show` does."""
    found = listed(rejecting)
    assert found == listed(rejecting)
    assert list(found[0]) == ["id", "reason", "detail", "event_id", "received_at", "size"]
    assert [one["size"] for one in found] == [8, 27, 8]
    assert "canary" not in rejecting.fanout("rejected", "list").stdout
    shown = rejecting.ask("rejected", "show", found[1]["id"])
    assert shown["body"] == '{"b": "canary@example.com"}'
    assert len(rejecting.ask("rejected", "list", "--limit", "2")) == 2


def test_rejected_events_that_are_held_elsewhere_are_exit_4(
    rejecting: Operator, vhost: Vhost
) -> None:
    """Instead of a part of them. Fails before: exit 0 with two of three."""

    async def said() -> str:
        async with amqp.channel(vhost.url) as channel:
            await (await channel.get_queue(vhost.queue("rejected"), ensure=False)).get()
            return await asyncio.to_thread(rejecting.refused, "rejected", "list", code=4)

    words = asyncio.run(said())
    assert "can't be reached" not in words
    assert f"somebody else holds messages of {vhost.queue('rejected')}" in words
    assert len(listed(rejecting)) == 3


def test_a_rejected_event_is_replayed_or_discarded_by_id(rejecting: Operator, vhost: Vhost) -> None:
    """Replayed ones are in the events queue; an unknown id changes nothing at all."""
    twice, once, _ = [one["id"] for one in listed(rejecting)]
    rejecting.refused("rejected", "replay", once, "rej_none", "--yes", code=5)
    assert len(listed(rejecting)) == 3
    assert rejecting.ask("rejected", "replay", once, "--yes") == {"replayed": 1, "discarded": 0}
    assert asyncio.run(amqp.depth(vhost.url, vhost.queue("events"))) == 1
    assert [one["id"] for one in listed(rejecting)] == [twice, twice]
    assert rejecting.ask("rejected", "discard", twice, "--yes") == {"replayed": 0, "discarded": 2}
    assert listed(rejecting) == []


def test_all_rejected_events_are_replayed_at_once(rejecting: Operator, vhost: Vhost) -> None:
    """`--all` leaves none."""
    assert rejecting.ask("rejected", "replay", "--all", "--yes")["replayed"] == 3
    assert listed(rejecting) == []
    assert asyncio.run(amqp.depth(vhost.url, vhost.queue("events"))) == 3
