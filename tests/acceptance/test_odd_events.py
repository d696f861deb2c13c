"""Events as real publishers write them: each is told, or rejected by the name of what is wrong."""

import codecs
import gzip
import json
import struct
from typing import Any

from tests.harness.servers.receiver import Receiver
from tests.harness.worker.disconnect import EXAMPLE_AT, body, disconnect
from tests.harness.worker.installation import Installation

CANARY = "canary@example.com"


def good(name: str, **changes: Any) -> bytes:
    return body(disconnect(name, CANARY, **changes))


def with_note(name: str, raw: str) -> bytes:
    return good(name)[:-1] + f', "note": {raw}}}'.encode()


def without_google_id(name: str) -> bytes:
    event = disconnect(name, CANARY)
    del event["data"]["google_id"]
    return body(event)


def as_value(text: bytes) -> bytes:
    """A JMS TextMessage, as RabbitMQ hands it on: an AMQP 1.0 value section with a string."""
    return b"\x00\x53\x77\xb1" + struct.pack(">I", len(text)) + text


Sent = tuple[bytes, dict[str, Any]]
TOLD: list[Sent] = [
    (good("evt_leap", disconnected_at="2016-12-31T15:59:60-08:00"), {}),
    (good("evt_digits", timestamp="2025-11-21T15:45:00.0123456789z"), {}),
    (with_note("evt_surrogate", r'{"\udc00": "\ud800"}'), {}),
    (with_note("evt_deep", "[" * 50_000 + "]" * 50_000), {}),
    (with_note("evt_huge", "9" * 50_000), {}),
    (with_note("evt_inner_twice", '{"id": 1, "id": 2}'), {}),
    (without_google_id("evt_no_google_id"), {}),
    (good("evt_label"), {"content_encoding": "utf-8"}),
    (good("evt_dot", user_email=f"{CANARY}."), {}),
    (as_value(good("evt_jms")), {"content_type": None, "type": "amqp-1.0"}),
    (
        as_value(json.dumps(disconnect("", CANARY)["data"]).encode()),
        {
            "type": "amqp-1.0",
            "headers": {
                "cloudEvents:specversion": "1.0",
                "cloudEvents:id": "evt_cloud",
                "cloudEvents:type": "user.calendar.disconnected",
                "cloudEvents:time": EXAMPLE_AT,
            },
        },
    ),
]
REJECTED: list[tuple[bytes, dict[str, Any], str]] = [
    (codecs.BOM_UTF8 + good("evt_bom"), {}, "byte-order mark"),
    (good("evt_wide").decode().encode("utf-16"), {}, "byte-order mark"),
    (gzip.compress(good("evt_gzip")), {"content_encoding": "gzip"}, "compressed (gzip)"),
    (gzip.compress(good("evt_gzip_too")), {}, "compressed (gzip)"),
    (b"\x1b\x02\x00", {"content_encoding": "br"}, "compressed (brotli)"),
    (good("evt_a").replace(b'"id"', b'"id": "evt_b", "id"'), {}, "id: stands twice"),
    (good("evt_t").replace(b'"reason"', b'"reason": "revoked", "reason"'), {}, "data.reason"),
    (good("evt_second", disconnected_at="2016-12-31T23:59:61Z"), {}, "data.disconnected_at"),
    (good("evt_number", google_id=105942374304), {}, "data.google_id: must be a string or null"),
    (good("evt_sheet", google_id="1.05942E+11"), {}, "data.google_id: must be digits only"),
    (good("evt_brackets", user_email=f"<{CANARY}>"), {}, "data.user_email: must be an address"),
    (good("evt_comma", user_email=f"{CANARY},"), {}, "data.user_email: must be an address"),
    (with_note("evt_nan", "NaN"), {}, "not valid JSON"),
    (b"\x00\x53\x77\xc1\x03\x02\x40\x40", {"type": "amqp-1.0"}, "a JMS TextMessage"),
]


async def test_what_can_be_read_is_told_and_the_rest_is_rejected_by_its_name(
    installation: Installation,
) -> None:
    """Nothing is lost, nobody is named, and nothing is told of what was rejected."""
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        # By whichever of both the event names; the trailing dot is no part of an address.
        await installation.link(
            [CANARY, f"{CANARY}."], "plat_luma", linked_at="2001-01-01T00:00:00Z"
        )
        async with installation.worker() as worker:
            for raw, properties in TOLD:
                await installation.publish_raw(raw, **properties)
            for raw, properties, _ in REJECTED:
                await installation.publish_raw(raw, **properties)
            await luma.received(len(TOLD))
            await installation.settled("delivered", len(TOLD))
            await installation.depth_becomes("rejected", len(REJECTED))
            await installation.depth_becomes("events", 0)
            rejected = await installation.ask("rejected", "list", "--limit", "100")
            assert "canary" not in worker.stderr + worker.stdout
    for one, (raw, _, words) in zip(rejected, REJECTED, strict=True):
        assert one["reason"] == "malformed", one
        assert words in one["detail"], one
        assert one["size"] == len(raw)
        assert "canary" not in json.dumps(one)
    assert len(luma.requests) == len(TOLD)
