"""A message whose AMQP properties can't be read costs nobody else anything."""

import struct
from datetime import UTC, datetime

import pamqp.encode
import pytest
from tests.harness.servers.receiver import Receiver
from tests.harness.worker.disconnect import body, disconnect
from tests.harness.worker.installation import Installation

MICROSECONDS = 1_763_740_000_000_000  # what a publisher writes who forgets that AMQP counts seconds


async def test_a_timestamp_beyond_the_calendar_stops_nobody(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The odd message and all its neighbours are told, without a reconnect or a rejection."""
    events = [disconnect(f"evt_{n}") for n in range(60)]
    async with Receiver() as luma:
        await installation.register("plat_luma", luma)
        await installation.link("alice@example.com", "plat_luma")
        await installation.publish(*events[:30])
        with monkeypatch.context() as odd:
            raw = struct.pack(">Q", MICROSECONDS)
            odd.setitem(pamqp.encode.METHODS, "timestamp", lambda _: raw)
            await installation.publish_raw(body(disconnect("evt_odd")), timestamp=datetime.now(UTC))
        await installation.publish(*events[30:])
        async with installation.worker() as worker:
            await luma.received(61)
            await installation.settled("delivered", 61)
            await installation.depth_becomes("events", 0)
            assert "unreachable" not in worker.stderr
    assert await installation.depth("rejected") == 0
