"""Bad events: rejected with the reason in plain words, counted, and the next one is processed."""

import json
from typing import Any

import pytest
from tests.harness.servers.receiver import Receiver
from tests.harness.worker.disconnect import body, disconnect
from tests.harness.worker.installation import Installation

CANARY = "canary@example.com"


def bad(**changes: Any) -> bytes:
    return body(disconnect("evt_bad", CANARY, **changes))


def without(name: str) -> bytes:
    event = disconnect("evt_bad", CANARY)
    (event if name in event else event["data"]).pop(name)
    return body(event)


BAD: dict[str, tuple[bytes, dict[str, Any], str, str]] = {
    "no JSON": (b'{"user_email": "canary@example.com"', {}, "malformed", "JSON"),
    "no object": (b'["canary@example.com"]', {}, "malformed", "object"),
    "not UTF-8": (b'{"id": "\xff canary@example.com"}', {}, "malformed", ""),
    "missing field": (without("user_email"), {}, "malformed", "data.user_email"),
    "missing id": (without("id"), {}, "malformed", "id"),
    "number for a string": (bad(google_id=105942374304), {}, "malformed", "data.google_id"),
    "unknown reason": (bad(reason="because"), {}, "malformed", "data.reason"),
    "unknown version": (bad(api_version="v2"), {}, "unsupported_version", "v1"),
    "naive timestamp": (bad(disconnected_at="2025-11-21T15:45:00"), {}, "malformed", "offset"),
    "over-long id": (bad(id="e" * 129), {}, "malformed", "128"),
    "id with a space": (bad(id="evt 1"), {}, "malformed", "id"),
    "empty recipients": (bad(platform_ids=[]), {}, "malformed", "platform_ids"),
    "two MiB": (bad(padding="x" * 2 * 1024 * 1024), {}, "too_large", "1048576"),
    "wrong content type": (
        bad(),
        {"content_type": "text/plain"},
        "malformed",
        "application/json",
    ),
}


async def test_each_kind_of_bad_event_is_rejected_by_name_and_the_next_one_is_told(
    installation: Installation,
) -> None:
    """Every bad message ends in fanout.rejected with its reason; nothing is lost or named."""
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        await installation.link(["alice@example.com", CANARY], "plat_luma")
        async with installation.worker() as worker:
            for raw, properties, _, _ in BAD.values():
                await installation.publish_raw(raw, **properties)
            await installation.publish(disconnect("evt_good"))
            await luma.received(1)
            await installation.depth_becomes("rejected", len(BAD))
            await installation.depth_becomes("events", 0)
            rejected = await installation.ask("rejected", "list", "--limit", "100")
            again = await installation.ask("rejected", "list", "--limit", "100")
            metrics = await worker.metrics()
            assert "canary" not in worker.stderr + worker.stdout
    assert rejected == again, "listing changes nothing"
    assert metrics.value("fanout_events_total", outcome="rejected") == len(BAD)
    for one, (raw, _, reason, words) in zip(rejected, BAD.values(), strict=True):
        assert one["reason"] == reason, one
        assert words in one["detail"], one
        assert one["size"] == len(raw)
        assert "canary" not in json.dumps(one)
    assert len(luma.requests) == 1


async def test_the_same_id_with_other_content_is_a_conflict(
    any_installation: Installation,
) -> None:
    """The first content stands; the second is rejected as id_conflict and tells nobody."""
    installation = any_installation
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        await installation.link(["alice@example.com", "bob@example.com"], "plat_luma")
        async with installation.worker():
            await installation.publish(disconnect("evt_1", "alice@example.com"))
            await installation.settled("delivered", 1)
            await installation.publish(disconnect("evt_1", "bob@example.com"))
            await installation.depth_becomes("rejected", 1)
            (rejected,) = await installation.ask("rejected", "list")
    assert rejected["reason"] == "id_conflict"
    assert rejected["event_id"] == "evt_1"
    assert len(luma.requests) == 1


@pytest.mark.parametrize(
    "properties", [{"content_type": None}, {"content_type": "application/json; charset=UTF-8"}]
)
async def test_an_absent_content_type_or_one_with_a_charset_is_accepted(
    installation: Installation, properties: dict[str, Any]
) -> None:
    """Both forms are told."""
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        await installation.link("alice@example.com", "plat_luma")
        async with installation.worker():
            await installation.publish_raw(body(disconnect("evt_1")), **properties)
            await luma.received(1)


async def test_a_rejected_event_is_replayed_once_its_cause_is_mended(
    installation: Installation,
) -> None:
    """Replaying puts it back into the queue as it came; discarding removes it."""
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        await installation.link("alice@example.com", "plat_luma")
        async with installation.worker():
            await installation.publish_raw(body(disconnect("evt_1")), content_type="text/plain")
            await installation.depth_becomes("rejected", 1)
            (one,) = await installation.ask("rejected", "list")
            result = await installation.fanout("rejected", "replay", one["id"], "--yes")
            assert result.exit_code == 0, result.stderr
            await installation.depth_becomes("rejected", 1)  # still the wrong content type
            result = await installation.fanout("rejected", "discard", one["id"], "--yes")
            assert result.exit_code == 0, result.stderr
            await installation.depth_becomes("rejected", 0)
    assert luma.requests == []
